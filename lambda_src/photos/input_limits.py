"""Limits for files that would exhaust a decoder before it reaches any pixel.

The limits for pixels are in `photos.formats`, and those for the parts of a JPEG in `photos.jpeg_limits`.
"""

from collections.abc import Iterator
from typing import Final, Literal

from photos.avif_limits import check_frames
from photos.errors import PhotoRejected
from photos.limits import MAX_BYTES

MAX_PARTS: Final = 50_000  # a PNG of 50 MiB has at most 13,000 chunks; Pillow takes 4 µs for each
MAX_COMPRESSED: Final = 256  # chunks of a PNG; Pillow inflates up to 1 MiB of each in 2 ms, and keeps one

_COMPRESSED: Final = (b"iCCP", b"iTXt", b"zTXt")
_TIFF_OFFSETS: Final = (273, 324)  # tags: StripOffsets, TileOffsets


def check_size(size: int) -> None:
    """Reject a file that has too many bytes.

    Raises:
        PhotoRejected: With the code `too_many_bytes`.
    """
    if size > MAX_BYTES:
        megabytes, limit = size / 2**20, MAX_BYTES / 2**20
        raise PhotoRejected("too_many_bytes", f"The file has {megabytes:,.1f} MiB. The limit is {limit:,.0f} MiB.")


def check_structure(photo: bytes, decoder: str) -> None:
    """Reject a file whose structure makes its decoder slow.

    Such a file is a PNG, GIF, or TIFF of more than MAX_PARTS parts, because 50 MiB of them take 20 s, a PNG of more
    than MAX_COMPRESSED compressed chunks, an AVIF of many frames, or a run-length encoded BMP, which Pillow decodes in
    Python: one of 41 KB took 9 s.

    Args:
        photo: The whole file.
        decoder: Name of its format in Pillow.

    Raises:
        PhotoRejected: With the code `too_many_parts`.
    """
    if decoder == "BMP" and _is_run_length_encoded(photo):
        raise PhotoRejected("too_many_parts", "This BMP is run-length encoded, which takes too long to decode.")
    if decoder == "AVIF":
        check_frames(photo)
    count = {"PNG": _png_chunks, "GIF": _gif_blocks, "TIFF": _tiff_parts}.get(decoder)
    if count and any(number >= MAX_PARTS for number in count(photo)):
        raise PhotoRejected("too_many_parts", f"This {decoder} has more than {MAX_PARTS:,} parts.")


def _png_chunks(photo: bytes) -> Iterator[int]:
    position, number, compressed = 8, 0, 0
    while position < len(photo):
        yield (number := number + 1)
        compressed += photo[position + 4 : position + 8] in _COMPRESSED
        if compressed > MAX_COMPRESSED:
            raise PhotoRejected(
                "too_many_parts", f"This PNG has more than {MAX_COMPRESSED} compressed profiles or texts."
            )
        position += 12 + int.from_bytes(photo[position : position + 4], "big")


def _gif_blocks(photo: bytes) -> Iterator[int]:
    """Count the blocks before the first frame."""
    packed = photo[10:11] or b"\0"
    position = 13 + (3 << (packed[0] & 7) + 1 if packed[0] & 0x80 else 0)
    number = 0
    while position < len(photo) and photo[position] not in b",;":
        yield (number := number + 1)
        if photo[position] == 0x21:  # an extension: a label, then blocks, of which the last one is empty
            position += 2
            while position < len(photo) and photo[position]:
                position += 1 + photo[position]
                yield (number := number + 1)
        position += 1


def _tiff_parts(photo: bytes) -> Iterator[int]:
    """Yield the claimed numbers of tags, strips, and tiles of the first directory. Three million took 14 s."""
    order: Literal["little", "big"] = "little" if photo.startswith(b"II") else "big"
    large = 43 in photo[2:4]  # BigTIFF, whose numbers have 8 bytes
    pointer, counter, count_size, tag_size = (8, 8, 8, 20) if large else (4, 2, 4, 12)

    def number(at: int, size: int) -> int:
        return int.from_bytes(photo[at : at + size], order)

    directory = number(pointer, 8 if large else 4)
    tags = number(directory, counter)
    yield tags
    for at in range(directory + counter, directory + counter + min(tags, MAX_PARTS) * tag_size, tag_size):
        if number(at, 2) in _TIFF_OFFSETS:
            yield number(at + 4, count_size)


def _is_run_length_encoded(bmp: bytes) -> bool:
    """Read the compression field at byte 30, which the oldest header (12 bytes long) does not have."""
    return int.from_bytes(bmp[14:18], "little") > 12 and int.from_bytes(bmp[30:34], "little") in (1, 2)
