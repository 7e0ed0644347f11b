"""Files that exhaust a decoder before it reads any pixel are rejected."""

import struct
from contextlib import suppress

import pytest

from photos.errors import PhotoRejected
from photos.formats import detect_format
from photos.imaging import make_thumbnails
from photos.input_limits import MAX_PARTS, check_structure
from photos.jpeg_limits import MAX_SCANS, has_multiple_scans
from tests.lambda_src.photos import hostile
from tests.lambda_src.photos.images import encode, four_corners, png_chunk, within_time_limit

JPEG, PNG, GIF = (encode(four_corners(), format_) for format_ in ("JPEG", "PNG", "GIF"))
GIF_FRAME = GIF.index(b",")
PROGRESSIVE = encode(four_corners(), "JPEG", progressive=True)
ONE_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]


def run_length_encoded_bmp(width: int, height: int, runs: bytes) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0) + bytes(1_024)
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(runs), 0, 0, 14 + len(head)) + head + runs


def tiff(tags: dict[int, tuple[int, int, int]], rest: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory. `tags`: type, count, and value or offset."""
    entries = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + rest


STRIPS = 1_500_000
STRIP_PER_ROW = {256: (4, 1, 10), 257: (4, 1, STRIPS), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
STRIP_PER_ROW |= {273: (4, STRIPS, 122), 278: (4, 1, 1), 279: (4, STRIPS, 122)}

FLOODS = {
    "empty rows of a BMP": run_length_encoded_bmp(10_000, 9_990, b"\1\1\0\0" * 9_990 + b"\0\1"),
    "runs after the end of a row of a BMP": run_length_encoded_bmp(8_000, 8_000, b"\1\1" * 20_000_000),
    "strips of a TIFF": tiff(STRIP_PER_ROW, struct.pack("<I", 8) * STRIPS),
    "chunks of a PNG": PNG[:33] + png_chunk(b"abCd") * 2_000_000 + PNG[33:],
    "chunks after the pixels of a PNG": PNG[:-12] + png_chunk(b"abCd") * 2_000_000 + PNG[-12:],
    "segments of a JPEG": JPEG[:2] + b"\xff\xe5\x00\x02" * 2_000_000 + JPEG[2:],
    "megabytes of EXIF": JPEG[:2] + (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 300 + JPEG[2:],
    "comments of a GIF": GIF[:GIF_FRAME] + b"!\xfe\x01a\0" * 2_000_000 + GIF[GIF_FRAME:],
    "zero bytes in a GIF": GIF[:GIF_FRAME] + bytes(5_000_000) + GIF[GIF_FRAME:],
    "tags of a BigTIFF": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 1_000_000) + bytes(20_000_000),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_file_with_too_many_parts_is_rejected_before_decoding(flood: str) -> None:
    with pytest.raises(PhotoRejected, match="too_many_parts"):
        make_thumbnails(FLOODS[flood])


def test_metadata_of_a_jpeg_is_limited_up_to_its_first_scan() -> None:
    exif = (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 300
    frame = PROGRESSIVE.index(b"\xff\xc2")
    scan = PROGRESSIVE.index(b"\xff\xda")
    for photo in (PROGRESSIVE[:scan] + exif + PROGRESSIVE[scan:], PROGRESSIVE[:frame] + b"\xff\xd9" + exif):
        with pytest.raises(PhotoRejected, match="too_many_parts"):
            detect_format(photo)


def test_overlapping_or_nested_parts_of_an_avif_are_read_in_time() -> None:
    """The structure itself is hostile: extents of all items overlap, or boxes contain each other."""
    many = hostile.box(
        b"meta", bytes(4) + hostile.box(b"iloc", b"\1\0\0\0\0\0\xff\xff" + b"\0\1\0\0\0\0\xff\xff" * 65_535)
    )
    nested = b""
    for _ in range(5_000):
        nested = hostile.box(b"meta", bytes(4) + nested)
    for boxes in (many, hostile.box(b"free", b"") * 100_000, nested):
        with within_time_limit(), suppress(PhotoRejected):
            check_structure(boxes, "AVIF")


def test_half_of_the_allowed_parts_are_accepted() -> None:
    assert make_thumbnails(PNG[:33] + png_chunk(b"abCd") * (MAX_PARTS // 2) + PNG[33:])


def test_metadata_that_claims_gigabytes_is_processed_in_time() -> None:
    """EXIF of 5,000 tags that all refer to the same 20 MB."""
    tags = b"".join(struct.pack("<HHII", 300 + i, 7, 20_000_000, 1_000) for i in range(5_000))
    exif = b"II*\0" + struct.pack("<IH", 8, 5_000) + tags + bytes(20_100_000)
    with within_time_limit():
        assert make_thumbnails(PNG[:33] + png_chunk(b"eXIf", exif) + PNG[33:])


def test_progressive_jpeg_has_multiple_scans() -> None:
    assert has_multiple_scans(PROGRESSIVE)
    assert not has_multiple_scans(JPEG)


def test_scans_beyond_the_limit_are_rejected() -> None:
    scans = PROGRESSIVE.count(b"\xff\xda")
    make_thumbnails(PROGRESSIVE[:-2] + ONE_SCAN * (MAX_SCANS - scans) + b"\xff\xd9")
    with pytest.raises(PhotoRejected, match="too_many_scans"):
        make_thumbnails(PROGRESSIVE[:-2] + ONE_SCAN * (MAX_SCANS - scans + 1) + b"\xff\xd9")


def test_markers_after_the_end_of_a_jpeg_are_ignored() -> None:
    """Phones append a video to a photo, whose bytes can look like markers."""
    make_thumbnails(PROGRESSIVE + b"\xff\xda\x00\x02" * 1_000)
