"""Files made to hurt a decoder before it comes to any pixel. Limits on pixels and scans are elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from photos.errors import PhotoRejected

MAX_PARTS: Final = 50_000  # PNGs of 50 MiB have 13,000 at most; Pillow takes 4 µs for each
_TIFF_OFFSETS: Final = (273, 324)  # where strips and tiles are
MAX_MEMORY: Final = 1_300 * 2**20  # bytes for one photo: none that is accepted needs 900 MiB


def check_parts(photo: bytes, decoder: str) -> None:
    """Raises PhotoRejected for a PNG, GIF or TIFF of more than MAX_PARTS parts: 50 MiB of them take 20 s.

    And for a BMP in runs, which Pillow reads in Python: one of 41 KB took 9 s.
    """
    if decoder == "BMP" and _is_in_runs(photo):
        raise PhotoRejected(
            "too_many_parts", "This BMP is coded in runs, which no camera writes, and takes too long to read."
        )
    count = {"PNG": _png_chunks, "GIF": _gif_blocks, "TIFF": _tiff_parts}.get(decoder)
    if count and any(number >= MAX_PARTS for number in count(photo)):
        raise PhotoRejected("too_many_parts", f"This {decoder} has more than {MAX_PARTS} parts, which is no photo.")


def _png_chunks(photo: bytes) -> Iterator[int]:
    position, number = 8, 0
    while position < len(photo):
        yield (number := number + 1)
        position += 12 + int.from_bytes(photo[position : position + 4], "big")


def _gif_blocks(photo: bytes) -> Iterator[int]:
    """The blocks before the first frame."""
    packed = photo[10:11] or b"\0"
    position = 13 + (3 << (packed[0] & 7) + 1 if packed[0] & 0x80 else 0)
    number = 0
    while position < len(photo) and photo[position] not in b",;":
        yield (number := number + 1)
        if photo[position] == 0x21:  # an extension: a label, then blocks, the last one empty
            position += 2
            while position < len(photo) and photo[position]:
                position += 1 + photo[position]
                yield (number := number + 1)
        position += 1


def _tiff_parts(photo: bytes) -> Iterator[int]:
    """The number of tags that the first directory claims, and of strips or tiles: three million took 14 s."""
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


def _is_in_runs(photo: bytes) -> bool:
    """Whether a BMP says so: at 30, unless its header at 14 is the oldest, of 12 bytes."""
    return int.from_bytes(photo[14:18], "little") > 12 and int.from_bytes(photo[30:34], "little") in (1, 2)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Within this, asking for more than MAX_MEMORY raises MemoryError, where Linux would kill the process.

    What decoders take is measured for what is known (docs/thumbnails.md); this is for what is not.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + MAX_MEMORY
    allowed = wanted if before[1] == resource.RLIM_INFINITY else min(wanted, before[1])
    resource.setrlimit(resource.RLIMIT_AS, (allowed, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
