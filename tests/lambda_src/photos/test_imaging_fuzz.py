"""Damaged images of every format give a thumbnail or a rejection within the limits, and nothing else.

Takes some seconds by default. `make fuzz MINUTES=10` runs longer, with new damage each time. Changes of the structure
depend only on a number, which starts at FUZZ_SEED. A file that fails stays in the folder that the failure names.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic, process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from tests.lambda_src.photos.hostile import icc_profile, processing_elements
from tests.lambda_src.photos.images import REFERENCE_SIZES, encode, open_image, sample, within_time_limit
from tests.lambda_src.photos.mutations import mutate, mutate_fields

MINUTES = float(os.environ.get("FUZZ_MINUTES", 0))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 120 * MINUTES)]
FUZZ = settings(max_examples=400 if MINUTES else 60, deadline=None, suppress_health_check=list(HealthCheck))
IMAGE = open_image(sample("rocket.jpg")).resize((160, 100))
ALPHA = IMAGE.convert("RGBA")
ALPHA.putalpha(Image.linear_gradient("L").resize(IMAGE.size))
EXIF = Image.Exif()
EXIF[0x0112] = 6

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" * 20

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


PROFILE = IMAGE.info["icc_profile"]
CMYK_TABLE = b"mft1" + bytes(4) + bytes([4, 3, 3, 0]) + bytes(36) + bytes(range(256)) * 4 + bytes(3**4 * 3) + bytes(768)
PROFILES = [
    PROFILE,
    icc_profile({b"D2B0": processing_elements(20)}),
    icc_profile({b"A2B0": CMYK_TABLE}),
]
# Photos with all kinds of metadata. The profile and the EXIF can be replaced by changed ones.
WITH_METADATA: dict[str, Callable[[bytes, bytes], bytes]] = {
    "jpeg": lambda profile, exif: encode(IMAGE, "JPEG", icc_profile=profile, exif=exif, xmp=XMP, comment=b"a"),
    "mpo": lambda profile, exif: encode(
        IMAGE, "MPO", save_all=True, append_images=[IMAGE], icc_profile=profile, exif=exif
    ),
    "png": lambda profile, exif: encode(ALPHA, "PNG", icc_profile=profile, exif=exif),
    "webp": lambda profile, exif: encode(ALPHA, "WEBP", method=0, icc_profile=profile, exif=exif, xmp=XMP),
    "avif": lambda profile, exif: encode(ALPHA, "AVIF", speed=10, icc_profile=profile, exif=exif, xmp=XMP),
    "tiff": lambda profile, exif: encode(IMAGE, "TIFF", compression="tiff_lzw", icc_profile=profile, exif=exif),
}


def structural_mutation(number: int) -> bytes:
    """Return the file of this number: a photo whose structure, profile, or EXIF was changed."""
    random = Random(number)
    name = random.choice(sorted(SEEDS.keys() | WITH_METADATA.keys()))
    photo = SEEDS.get(name, b"")
    if name in WITH_METADATA:
        profile, exif = random.choice(PROFILES), EXIF.tobytes()
        if random.random() < 0.5:
            profile, exif = mutate_fields(random, profile), exif[:6] + mutate_fields(random, exif[6:])
        with suppress(Exception):  # Pillow does not write everything
            photo = WITH_METADATA[name](profile, exif)
        if random.random() < 0.3:
            return photo
    others = [seed for seed in SEEDS.values() if seed[:2] == photo[:2] or seed[4:8] == photo[4:8] == b"ftyp"]
    return mutate(random, photo, random.choice(others))


def test_structural_mutations_stay_within_the_limits() -> None:
    file = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}"
    end, slowest, verdicts = monotonic() + 60 * MINUTES, (0.0, 0), Counter[str]()
    for number in count(int(os.environ.get("FUZZ_SEED", 0))):
        if monotonic() > end and verdicts.total() >= 200:
            break
        photo = structural_mutation(number)
        file.write_bytes(photo)  # before it can crash this process
        begin, verdict = process_time(), "thumbnails"
        with within_time_limit():
            try:
                make_thumbnails(photo, REFERENCE_SIZES)
            except PhotoRejected as rejected:
                verdict = rejected.code
        slowest = max(slowest, (process_time() - begin, number))
        verdicts[verdict] += 1
        # libwebp reports a damaged header of the alpha channel as a lack of memory, before it allocates any.
        excessive = {"too_slow"} if photo.startswith(b"RIFF") else {"too_slow", "too_much_memory"}
        assert verdict not in excessive, f"FUZZ_SEED={number}: {file}"
    print(f"{dict(verdicts)}. The slowest was FUZZ_SEED={slowest[1]} with {slowest[0]:.2f} s.")
    file.unlink()
