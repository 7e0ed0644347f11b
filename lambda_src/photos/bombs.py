"""Files made to hurt a decoder before it comes to any pixel. Limits on pixels and scans are elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from photos.errors import Refused

MAX_PARTS: Final = 50_000  # PNGs of 50 MiB have 13,000 at most; Pillow takes 4 µs for each
MAX_MEMORY: Final = 1_300 * 2**20  # bytes for one photo: none that is accepted needs 900 MiB


def check_parts(photo: bytes, decoder: str) -> None:
    """Raises Refused for a PNG, GIF or TIFF of more than MAX_PARTS parts: 50 MiB of them take 20 s."""
    count = {"PNG": _png_chunks, "GIF": _gif_blocks, "TIFF": _tiff_tags}.get(decoder)
    if count and any(number >= MAX_PARTS for number in count(photo)):
        raise Refused("too_many_parts", f"This {decoder} has more than {MAX_PARTS} parts, which is no photo.")


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


def _tiff_tags(photo: bytes) -> Iterator[int]:
    """The number of tags that the first directory claims."""
    order = "little" if photo.startswith(b"II") else "big"
    size = 8 if 43 in photo[2:4] else 0  # BigTIFF, whose numbers have 8 bytes
    at = int.from_bytes(photo[8:16] if size else photo[4:8], order)  # type: ignore[arg-type]
    yield int.from_bytes(photo[at : at + (size or 2)], order)  # type: ignore[arg-type]


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Within this, asking for more than MAX_MEMORY raises MemoryError, where Linux would kill the process.

    Metadata can claim gigabytes: a TIFF of 40 MiB may name its one block 65,535 times.
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
