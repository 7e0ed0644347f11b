"""Damaged images of every format give thumbnails or a rejection, and cost no more than their size and pixels explain.

Takes some seconds by default. `make fuzz MINUTES=10` runs longer, with new files each time. A file depends only on its
number, which starts at FUZZ_SEED. Files that fail are kept in `.cache/fuzz/`.
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from heapq import nlargest
from itertools import count
from random import Random
from time import monotonic

import pytest
from pi_heif import register_heif_opener
from PIL import Image

from tests.lambda_src.photos.hostile import icc_profile, processing_elements
from tests.lambda_src.photos.images import REFERENCE_SIZES, ROOT, encode, open_image, run_python, sample
from tests.lambda_src.photos.measured_decoder import MeasuredDecoder, Measurement
from tests.lambda_src.photos.mutations import claim_size, mutate, mutate_fields

MINUTES = float(os.environ.get("FUZZ_MINUTES", 0))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 120 * MINUTES)]
START = int(os.environ.get("FUZZ_SEED", Random().getrandbits(30) if MINUTES else 0))
FAILED = ROOT / ".cache" / "fuzz"

# A file may take this much more CPU time than the photo that it was made from: the factor allows for parts that are
# repeated or come from another photo, and the constant for the start of a new process.
CPU_FACTOR, CPU_CONSTANT = 5, 1.0
MEMORY_CONSTANT = 200 * 2**20  # bytes
# Beyond that, only the pixels that a file claims explain its cost. This is what they cost at the limit of a format.
CPU_SECONDS_AT_LIMIT, MEMORY_AT_LIMIT = 5, 900 * 2**20  # see docs/thumbnails.md

SIZE = (160, 100)
IMAGE = open_image(sample("rocket.jpg")).resize(SIZE)
ALPHA = IMAGE.convert("RGBA")
ALPHA.putalpha(Image.linear_gradient("L").resize(SIZE))
EXIF = Image.Exif()
EXIF[0x0112] = 6
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" * 20
PROFILE = IMAGE.info["icc_profile"]
CMYK_TABLE = b"mft1" + bytes(4) + bytes([4, 3, 3, 0]) + bytes(36) + bytes(range(256)) * 4 + bytes(3**4 * 3) + bytes(768)
PROFILES = [PROFILE, icc_profile({b"D2B0": processing_elements(2_000)}), icc_profile({b"A2B0": CMYK_TABLE})]

SEEDS = {
    "progressive": encode(IMAGE.resize((2_400, 1_600)), "JPEG", progressive=True, quality=20),
    "cmyk": encode(IMAGE.convert("CMYK"), "JPEG", progressive=True),
    "palette": encode(IMAGE.convert("P"), "PNG"),
    "deep png": encode(IMAGE.convert("L").convert("I").point(lambda value: value * 257).convert("I;16"), "PNG"),
    "lossless": encode(ALPHA, "WEBP", lossless=True),
    "large webp": encode(IMAGE.resize((2_400, 1_600)), "WEBP", quality=20, method=0),
    "animated webp": encode(IMAGE, "WEBP", save_all=True, append_images=[IMAGE.convert("L")]),
    "gif": encode(IMAGE, "GIF", save_all=True, append_images=[IMAGE.convert("L")], comment=b"a"),
    "deep tiff": encode(IMAGE.convert("F"), "TIFF"),
    "jpeg in tiff": encode(IMAGE, "TIFF", compression="jpeg"),
    "bmp": encode(IMAGE, "BMP"),
    "palette bmp": encode(IMAGE.convert("P"), "BMP"),
    "heic": sample("coffee-turned.heic"),
    "heic in tiles": sample("rocket-tiles.heic"),
}
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
SEEDS |= {name: make(PROFILE, EXIF.tobytes()) for name, make in WITH_METADATA.items()}
register_heif_opener()
SIZES = {name: open_image(photo).size for name, photo in SEEDS.items()}


def mutation(number: int) -> tuple[str, bytes]:
    """Return the file of this number, and the name of the photo that it was made from."""
    random = Random(number)
    name = random.choice(sorted(SEEDS))
    photo = SEEDS[name]
    if name in WITH_METADATA and random.random() < 0.5:
        profile, exif = mutate_fields(random, random.choice(PROFILES)), EXIF.tobytes()
        with suppress(Exception):  # Pillow does not write everything
            photo = WITH_METADATA[name](profile, exif[:6] + mutate_fields(random, exif[6:]))
        if random.random() < 0.5:
            return name, photo
    if random.random() < 0.2:
        photo = claim_size(random, photo, SIZES[name])
    others = [seed for seed in SEEDS.values() if seed[:2] == photo[:2] or seed[4:8] == photo[4:8] == b"ftyp"]
    return name, mutate(random, photo, random.choice(others))


def failure_of(photo: bytes, measured: Measurement, seed: Measurement) -> str | None:
    """Return what is wrong with the decoder's treatment of a photo."""
    if measured.verdict == "crash" and has_item_type_that_is_not_utf_8(photo):
        return None
    if measured.verdict in ("crash", "too_slow") or " " in measured.verdict:
        return measured.verdict
    cpu_seconds = measured.cpu_seconds - CPU_CONSTANT - CPU_FACTOR * seed.cpu_seconds
    memory = measured.memory - MEMORY_CONSTANT
    if max(cpu_seconds, memory) <= 0 and measured.verdict != "too_much_memory":
        return None
    share = claimed_share(photo)
    if cpu_seconds > share * CPU_SECONDS_AT_LIMIT or memory > share * MEMORY_AT_LIMIT:
        return f"{measured} for {share:.0%} of the pixel limit"
    if measured.verdict == "too_much_memory" and share < 0.5:
        return f"too_much_memory for {share:.0%} of the pixel limit"
    return None


def has_item_type_that_is_not_utf_8(photo: bytes) -> bool:
    """Return whether a HEIC has the known defect that crashes pi-heif 1.4.0. test_decoder_process.py has an example.

    An `infe` box has a version, flags, an id (4 bytes in version 3, otherwise 2), an index, and a type of 4 bytes.
    """
    for version, rest in re.findall(rb"infe(.)...(.{10})", photo, re.DOTALL):
        at = 6 if version == b"\3" else 4
        try:
            rest[at : at + 4].decode()
        except UnicodeDecodeError:
            return photo[4:8] == b"ftyp"
    return False


def claimed_share(photo: bytes) -> float:
    """Return the pixels that the header claims, as a share of the limit. A subprocess reads it, and can crash."""
    program = (
        "import sys; from PIL import Image; from photos.formats import detect_format; Image.MAX_IMAGE_PIXELS = None\n"
        "format_ = detect_format(open(sys.argv[1], 'rb').read()); format_.load_plugin()\n"
        "image = Image.open(sys.argv[1], formats=[format_.decoder])\n"
        "print(image.width * image.height / format_.pixel_limit(image.mode))"
    )
    (file := FAILED / f"claims-{os.getpid()}").write_bytes(photo)
    try:
        return float(run_python(program, file))
    except subprocess.CalledProcessError:
        return 0
    finally:
        file.unlink()


@pytest.fixture(scope="module")
def decoder() -> Iterator[MeasuredDecoder]:
    with MeasuredDecoder() as decoder:
        yield decoder


def test_damaged_photos_stay_within_the_limits(decoder: MeasuredDecoder, capsys: pytest.CaptureFixture[str]) -> None:
    FAILED.mkdir(parents=True, exist_ok=True)
    for photo in SEEDS.values():
        decoder.measure(photo, REFERENCE_SIZES)  # loads the library
    seeds = {name: decoder.measure(photo, REFERENCE_SIZES) for name, photo in SEEDS.items()}
    assert {seed.verdict for seed in seeds.values()} == {"thumbnails"}
    costs, failures = list[tuple[Measurement, str]](), dict[str, str]()
    end = monotonic() + 60 * MINUTES
    for number in count(START):
        if len(failures) == 20 or (monotonic() > end and len(costs) >= 300):
            break
        name, photo = mutation(number)
        measured = decoder.measure(photo, REFERENCE_SIZES)
        costs.append((measured, f"FUZZ_SEED={number} ({name})"))
        if failure := failure_of(photo, measured, seeds[name]):
            (FAILED / f"{number} {name}").write_bytes(photo)
            failures[costs[-1][1]] = failure
    if MINUTES:
        with capsys.disabled():
            print(f"\n{len(costs) / MINUTES:,.0f} files per minute:", dict(Counter(cost.verdict for cost, _ in costs)))
            for cost, file in nlargest(5, costs, key=lambda it: it[0].cpu_seconds):
                print(f"slow: {cost.cpu_seconds:.2f} s of CPU time, {cost.verdict}, {file}")
            for cost, file in nlargest(5, costs, key=lambda it: it[0].memory):
                print(f"large: {cost.memory >> 20} MiB, {cost.verdict}, {file}")
    assert not failures, f"The files are in {FAILED}."
