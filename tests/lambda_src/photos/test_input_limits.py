"""Files that hurt before any pixel: refused at once, or harmless."""

import struct
import subprocess
import sys
import zlib
from mmap import mmap
from pathlib import Path
from time import monotonic

import pytest

from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from photos.input_limits import MAX_MEMORY, MAX_PARTS, bounded_memory
from tests.lambda_src.photos.images import four_corners, opened, saved

SOURCES = Path(__file__).parents[3] / "lambda_src"
JPEG, PNG, GIF = (saved(four_corners(), format_) for format_ in ("JPEG", "PNG", "GIF"))
GIF_FRAME = GIF.index(b",")


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bmp_in_runs(width: int, height: int, runs: bytes) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0) + bytes(1_024)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(runs), 0, 0, 14 + len(head)) + head + runs


def tiff(tags: dict[int, tuple[int, int, int]], rest: bytes = b"") -> bytes:
    """Little-endian, of one directory: by tag, the type, how many, and the value or where it is."""
    entries = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + rest


STRIPS = 1_500_000
STRIP_PER_ROW = {256: (4, 1, 10), 257: (4, 1, STRIPS), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
STRIP_PER_ROW |= {273: (4, STRIPS, 122), 278: (4, 1, 1), 279: (4, STRIPS, 122)}

FLOODS = {
    "rows of nothing in a BMP": bmp_in_runs(10_000, 9_990, b"\1\1\0\0" * 9_990 + b"\0\1"),
    "runs behind the end of a row of a BMP": bmp_in_runs(8_000, 8_000, b"\1\1" * 20_000_000),
    "strips of a TIFF": tiff(STRIP_PER_ROW, struct.pack("<I", 8) * STRIPS),
    "chunks of a PNG": PNG[:33] + chunk(b"abCd") * 2_000_000 + PNG[33:],
    "chunks behind the pixels of a PNG": PNG[:-12] + chunk(b"abCd") * 2_000_000 + PNG[-12:],
    "segments of a JPEG": JPEG[:2] + b"\xff\xe5\x00\x02" * 2_000_000 + JPEG[2:],
    "megabytes of EXIF": JPEG[:2] + (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 300 + JPEG[2:],
    "comments of a GIF": GIF[:GIF_FRAME] + b"!\xfe\x01a\0" * 2_000_000 + GIF[GIF_FRAME:],
    "nothing in a GIF": GIF[:GIF_FRAME] + bytes(5_000_000) + GIF[GIF_FRAME:],
    "tags of a BigTIFF": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1_000_000) + bytes(20_000_000),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_parts_is_refused_at_once(flood: str) -> None:
    start = monotonic()
    with pytest.raises(PhotoRejected, match="too_many_parts"):
        make_thumbnails(FLOODS[flood])
    assert monotonic() - start < 2


def test_parts_in_reason_are_accepted() -> None:
    many = PNG[:33] + chunk(b"abCd") * (MAX_PARTS // 2) + PNG[33:]
    assert opened(make_thumbnails(many)[256]).size == (256, 128)


def test_metadata_that_claims_gigabytes_does_no_harm() -> None:
    """EXIF of 5,000 tags, each of which says that the same 20 MB are its own."""
    tags = b"".join(struct.pack("<HHII", 300 + i, 7, 20_000_000, 1_000) for i in range(5_000))
    exif = b"II*\0" + struct.pack("<IH", 8, 5_000) + tags + bytes(20_100_000)
    start = monotonic()
    assert make_thumbnails(PNG[:33] + chunk(b"eXIf", exif) + PNG[33:])
    assert monotonic() - start < 5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory like this")
@pytest.mark.parametrize(("megabytes", "ends"), [(30, "too_much_memory"), (300, "")])
def test_a_photo_that_takes_more_memory_than_it_may_is_refused(megabytes: int, ends: str, tmp_path: Path) -> None:
    photo = tmp_path / "large.png"
    photo.write_bytes(saved(four_corners().resize((6_000, 4_000)), "PNG"))
    program = f"""
import sys
from photos import imaging, input_limits
input_limits.MAX_MEMORY = {megabytes} * 2**20
try:
    imaging.make_thumbnails(open(sys.argv[1], "rb").read())
except imaging.PhotoRejected as refused:
    print(refused.code)
"""
    # A fresh process: this one may have enough memory left over from other tests.
    run = subprocess.run(
        [sys.executable, "-c", program, photo], cwd=SOURCES, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == ends


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory like this")
def test_memory_is_bounded_within_and_free_again_behind() -> None:
    with bounded_memory(), pytest.raises(OSError, match="allocate"):
        mmap(-1, 2 * MAX_MEMORY)
    mmap(-1, 2 * MAX_MEMORY).close()
