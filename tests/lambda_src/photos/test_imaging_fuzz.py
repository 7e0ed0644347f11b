"""Damaged pictures of every format: a thumbnail or a refusal within 5 s, never anything else.

A few seconds by default; `make fuzz MINUTES=10` goes on for longer, with new damage each time.
"""

import os
import resource
from contextlib import suppress
from time import monotonic, process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from photos.errors import PhotoRejected
from photos.imaging import MAX_SECONDS, make_thumbnails
from tests.lambda_src.photos.images import opened, photo, sample, saved

MINUTES = float(os.environ.get("FUZZ_MINUTES", 0))
pytestmark = pytest.mark.timeout(300 + 120 * MINUTES)
LONG = settings(max_examples=400 if MINUTES else 60, deadline=None, suppress_health_check=list(HealthCheck))
PICTURE = opened(photo("rocket.jpg")).resize((160, 100))
CLEAR = PICTURE.convert("RGBA")
CLEAR.putalpha(Image.linear_gradient("L").resize(PICTURE.size))
EXIF = Image.Exif()
EXIF[0x0112] = 6

SEEDS = {
    "jpeg": saved(PICTURE, "JPEG", exif=EXIF, icc_profile=PICTURE.info["icc_profile"]),
    "progressive": saved(PICTURE.resize((2_400, 1_600)), "JPEG", progressive=True, quality=20),
    "cmyk": saved(PICTURE.convert("CMYK"), "JPEG", progressive=True),
    "png": saved(CLEAR, "PNG", exif=EXIF),
    "palette": saved(PICTURE.convert("P"), "PNG"),
    "webp": saved(CLEAR, "WEBP", exif=EXIF),
    "lossless": saved(CLEAR, "WEBP", lossless=True),
    "large webp": saved(PICTURE.resize((2_400, 1_600)), "WEBP", quality=20, method=0),
    "animated webp": saved(PICTURE, "WEBP", save_all=True, append_images=[PICTURE.convert("L")]),
    "avif": saved(CLEAR, "AVIF"),
    "gif": saved(PICTURE, "GIF", save_all=True, append_images=[PICTURE.convert("L")]),
    "tiff": saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "deep tiff": saved(PICTURE.convert("F"), "TIFF"),
    "jpeg in tiff": saved(PICTURE, "TIFF", compression="jpeg"),
    "bmp": saved(PICTURE, "BMP"),
    "mpo": saved(PICTURE, "MPO", save_all=True, append_images=[PICTURE]),
    "deep png": saved(PICTURE.convert("L").convert("I").point(lambda value: value * 257).convert("I;16"), "PNG"),
    "heic": sample("coffee-turned.heic"),
    "heic in tiles": sample("rocket-tiles.heic"),
}

PLACE = st.floats(0, 1, exclude_max=True)
HEADERS = st.floats(0, 0.02)  # where most of the decisions are
DAMAGE = st.tuples(PLACE | HEADERS, st.sampled_from(["set", "cut", "insert", "repeat", "end"]), st.binary(max_size=16))


def damaged(whole: bytes, damages: list[tuple[float, str, bytes]]) -> bytes:
    for where, how, garbage in damages:
        at = int(where * len(whole))
        after = {
            "set": garbage + whole[at + len(garbage) :],
            "cut": whole[at + 4 * len(garbage) :],
            "insert": garbage + whole[at:],
            "repeat": whole[max(0, at - 512) : at] + whole[at:],
            "end": b"",
        }
        whole = whole[:at] + after[how]
    return whole


def assert_thumbnail_or_refusal(photo: bytes, sizes: tuple[int, ...]) -> None:
    start = cpu_seconds()
    with suppress(PhotoRejected):
        made = make_thumbnails(photo, sizes)
        assert all(opened(thumbnail).format == "WEBP" for thumbnail in made.values())
    assert cpu_seconds() - start < MAX_SECONDS


def cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # where HEIC and TIFF are read
    return process_time() + children.ru_utime + children.ru_stime


@pytest.mark.parametrize("kind", SEEDS)
def test_damage_never_causes_an_accident(kind: str) -> None:
    @LONG
    @given(st.lists(DAMAGE, min_size=1, max_size=6), st.sampled_from([(256,), (256, 1024)]))
    def damage_and_try(damages: list[tuple[float, str, bytes]], sizes: tuple[int, ...]) -> None:
        assert_thumbnail_or_refusal(damaged(SEEDS[kind], damages), sizes)

    end = monotonic() + MINUTES * 60 / len(SEEDS)
    damage_and_try()
    while monotonic() < end:
        damage_and_try()


@LONG
@given(st.sampled_from(sorted(SEEDS)), st.integers(1, 64), st.binary(max_size=2_000))
def test_garbage_behind_a_good_start_never_causes_an_accident(kind: str, start: int, garbage: bytes) -> None:
    assert_thumbnail_or_refusal(SEEDS[kind][:start] + garbage, (256,))
