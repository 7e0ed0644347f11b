"""Limits the AV1 frames of an AVIF.

A photo has one frame, or one for each of a few layers. The decoder decodes all frames of an item, although it returns
only one: a file of 0.4 MB with 1,000 frames took 12 s. If no frame belongs to the layer that the file selects (`lsel`),
it returns none, after the same time.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from photos.errors import PhotoRejected

MAX_FRAMES: Final = 32  # of an item: AV1 allows 4 spatial layers times 8 temporal layers
MAX_PARTS: Final = 50_000  # boxes, extents, or units; a grid of 50 megapixels has at most 12,000 items of 3 units each

# Containers that lead to items and samples, with the size of what precedes their boxes. The box structure is in
# ISO/IEC 14496-12 (8.11 for items, 8.5 to 8.7 for samples), and its use in https://aomediacodec.github.io/av1-avif/.
_CONTAINERS: Final = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"meta": 4, b"iinf": 6}
_FRAME_HEADER, _FRAME = 3, 6  # types of units: https://aomediacodec.github.io/av1-spec/#obu-header-semantics


class _Box(NamedTuple):
    kind: bytes
    body: memoryview


class _Reader:
    """Reads numbers one after the other. Numbers after the end are 0."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.position = data, 0

    def number(self, size: int) -> int:
        self.position += size
        return int.from_bytes(self.data[self.position - size : self.position], "big")


def check_frames(photo: bytes) -> None:
    """Reject an AVIF that makes its decoder decode many frames.

    Raises:
        PhotoRejected: With the code `too_many_parts`.
    """
    units = joined = 0
    for extents in _images(photo):
        frames = 0
        if len(extents) > 1:
            joined += sum(map(len, extents))
        if joined > len(photo):  # they overlap
            raise _too_many_parts()
        for kind in _units(extents[0] if len(extents) == 1 else memoryview(b"".join(extents))):
            units += 1
            frames += kind in (_FRAME_HEADER, _FRAME)
            if frames > MAX_FRAMES or units > MAX_PARTS:
                raise _too_many_parts()


def _too_many_parts() -> PhotoRejected:
    return PhotoRejected("too_many_parts", "This AVIF has too many frames of an image, or too many parts.")


def _images(photo: bytes) -> Iterator[list[memoryview]]:
    """Yield what a decoder can decode, as lists of extents: the AV1 items, and the first sample of each track."""
    file = memoryview(photo)
    boxes = list(islice(_boxes(file), MAX_PARTS + 1))
    if len(boxes) > MAX_PARTS:
        raise _too_many_parts()
    idat = next((box.body for box in boxes if box.kind == b"idat"), file[:0])
    av1_items = {_item_id(box.body) for box in boxes if box.kind == b"infe" and b"av01" in bytes(box.body[8:14])}
    for locations in (box.body for box in boxes if box.kind == b"iloc"):
        yield from (extents for item, extents in _items(locations, [file, idat]) if item in av1_items)
    sizes = (_Reader(box.body[4:]) for box in boxes if box.kind == b"stsz")
    offsets = (box for box in boxes if box.kind in (b"stco", b"co64"))
    for size, offset in zip(sizes, offsets, strict=False):
        start = int.from_bytes(offset.body[8 : 12 if offset.kind == b"stco" else 16], "big")
        same_size, _, first_size = size.number(4), size.number(4), size.number(4)
        yield [file[start : start + (same_size or first_size)]]


def _boxes(data: memoryview, depth: int = 5) -> Iterator[_Box]:
    """Yield the boxes in `data`, and those in its containers down to this depth."""
    position = 0
    while position + 8 <= len(data):
        reader = _Reader(data[position:])
        size, kind = reader.number(4), bytes(data[position + 4 : position + 8])
        reader.number(4)
        size = reader.number(8) if size == 1 else size or len(data) - position
        body = data[position + reader.position : position + size]
        yield _Box(kind, body)
        if kind in _CONTAINERS and depth:
            head = _CONTAINERS[kind] + (2 if kind == b"iinf" and bytes(body[:1]) != b"\0" else 0)
            yield from _boxes(body[head:], depth - 1)
        position += max(size, 8)


def _item_id(entry: memoryview) -> int:
    return _Reader(entry[4:]).number(2 if bytes(entry[:1]) == b"\2" else 4)


def _items(locations: memoryview, sources: list[memoryview]) -> Iterator[tuple[int, list[memoryview]]]:
    """Yield the id and the extents of each item of an `iloc` box. `sources`: the file, and its `idat` box."""
    reader = _Reader(locations)
    version, _, sizes = reader.number(1), reader.number(3), reader.number(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    parts = 0
    for _ in range(reader.number(2 if version < 2 else 4)):
        item = reader.number(2 if version < 2 else 4)
        source = sources[(reader.number(2) & 15 if version else 0) == 1]
        reader.number(2)
        base, count, extents = reader.number(base_size), reader.number(2), []
        parts += 1 + count
        if parts > MAX_PARTS:
            raise _too_many_parts()
        for _ in range(count):
            reader.number(index_size if version else 0)
            start = base + reader.number(offset_size)
            extents.append(source[start : start + (reader.number(length_size) or len(source))])
        yield item, extents


def _units(data: memoryview) -> Iterator[int]:
    """Yield the types of the open bitstream units (OBU) of AV1."""
    position = 0
    while position < len(data):
        header = data[position]
        yield header >> 3 & 15
        position += 2 if header & 4 else 1
        if not header & 2:  # no size: the last unit
            return
        size = shift = 0
        while position < len(data) and shift < 56:  # LEB128
            byte = data[position]
            size, shift, position = size | (byte & 127) << shift, shift + 7, position + 1
            if byte < 128:
                break
        position += size
