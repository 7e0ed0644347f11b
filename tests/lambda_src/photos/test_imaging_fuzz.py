"""Damaged images of every format give a thumbnail or a rejection in time, and nothing else.

Takes some seconds by default. `make fuzz MINUTES=10` runs longer, with new damage each time.
"""

import os
from contextlib import suppress
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from tests.lambda_src.photos.images import REFERENCE_SIZES, encode, open_image, sample, within_time_limit

MINUTES = float(os.environ.get("FUZZ_MINUTES", 0))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 120 * MINUTES)]
FUZZ = settings(max_examples=400 if MINUTES else 60, deadline=None, suppress_health_check=list(HealthCheck))
IMAGE = open_image(sample("rocket.jpg")).resize((160, 100))
ALPHA = IMAGE.convert("RGBA")
ALPHA.putalpha(Image.linear_gradient("L").resize(IMAGE.size))
EXIF = Image.Exif()
EXIF[0x0112] = 6

SEEDS = {
    "jpeg": encode(IMAGE, "JPEG", exif=EXIF, icc_profile=IMAGE.info["icc_profile"]),
    "progressive": encode(IMAGE.resize((2_400, 1_600)), "JPEG", progressive=True, quality=20),
    "cmyk": encode(IMAGE.convert("CMYK"), "JPEG", progressive=True),
    "png": encode(ALPHA, "PNG", exif=EXIF),
    "palette": encode(IMAGE.convert("P"), "PNG"),
    "webp": encode(ALPHA, "WEBP", exif=EXIF),
    "lossless": encode(ALPHA, "WEBP", lossless=True),
    "large webp": encode(IMAGE.resize((2_400, 1_600)), "WEBP", quality=20, method=0),
    "animated webp": encode(IMAGE, "WEBP", save_all=True, append_images=[IMAGE.convert("L")]),
    "avif": encode(ALPHA, "AVIF"),
    "gif": encode(IMAGE, "GIF", save_all=True, append_images=[IMAGE.convert("L")]),
    "tiff": encode(IMAGE, "TIFF", compression="tiff_lzw"),
    "deep tiff": encode(IMAGE.convert("F"), "TIFF"),
    "jpeg in tiff": encode(IMAGE, "TIFF", compression="jpeg"),
    "bmp": encode(IMAGE, "BMP"),
    "mpo": encode(IMAGE, "MPO", save_all=True, append_images=[IMAGE]),
    "deep png": encode(IMAGE.convert("L").convert("I").point(lambda value: value * 257).convert("I;16"), "PNG"),
    "heic": sample("coffee-turned.heic"),
    "heic in tiles": sample("rocket-tiles.heic"),
}

PLACE = st.floats(0, 1, exclude_max=True)
HEADER = st.floats(0, 0.02)  # where a decoder takes most of its decisions
DAMAGE = st.tuples(PLACE | HEADER, st.sampled_from(["set", "cut", "insert", "repeat", "end"]), st.binary(max_size=16))


def damage(data: bytes, where: float, how: str, garbage: bytes) -> bytes:
    at = int(where * len(data))
    tails = {
        "set": garbage + data[at + len(garbage) :],
        "cut": data[at + 4 * len(garbage) :],
        "insert": garbage + data[at:],
        "repeat": data[max(0, at - 512) : at] + data[at:],
        "end": b"",
    }
    return data[:at] + tails[how]


def assert_thumbnails_or_rejection(photo: bytes, sizes: tuple[int, ...]) -> None:
    with within_time_limit(), suppress(PhotoRejected):
        thumbnails = make_thumbnails(photo, sizes)
        assert all(open_image(thumbnail).format == "WEBP" for thumbnail in thumbnails.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_photo_is_accepted_or_rejected(seed: str) -> None:
    @FUZZ
    @given(st.lists(DAMAGE, min_size=1, max_size=6), st.sampled_from([REFERENCE_SIZES[:1], REFERENCE_SIZES]))
    def try_damages(damages: list[tuple[float, str, bytes]], sizes: tuple[int, ...]) -> None:
        photo = SEEDS[seed]
        for where, how, garbage in damages:
            photo = damage(photo, where, how, garbage)
        assert_thumbnails_or_rejection(photo, sizes)

    end = monotonic() + MINUTES * 60 / len(SEEDS)
    try_damages()
    while monotonic() < end:
        try_damages()


@FUZZ
@given(st.sampled_from(sorted(SEEDS)), st.integers(1, 64), st.binary(max_size=2_000))
def test_garbage_after_a_valid_header_is_accepted_or_rejected(seed: str, length: int, garbage: bytes) -> None:
    assert_thumbnails_or_rejection(SEEDS[seed][:length] + garbage, REFERENCE_SIZES[:1])
