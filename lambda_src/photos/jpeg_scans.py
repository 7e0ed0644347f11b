"""The scans of a progressive JPEG, and which of them a small thumbnail can do without.

A decoder that shrinks by 8 makes one pixel of each 8 × 8 block, from the block's mean (DC) alone. The scans
that bring the block's detail (AC) are then invisible, yet are most of the work.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import Final, NamedTuple

from photos.errors import PhotoRejected

MAX_SCANS: Final = 64  # the commonest script has 10, and 18 for CMYK; thousands in 346 KB burn 40 s
MAX_SEGMENTS: Final = 10_000
MAX_HEADER: Final = 8 * 2**20  # bytes: Pillow takes 20 s for 43 MiB of EXIF; phones put depth maps here

_SINGLE_PASS: Final = (0xC0, 0xC1)  # frames (SOF) that are decoded as they are read
_PROGRESSIVE: Final = 0xC2
_TABLES, _EOI, _SOS, _RESTARTS = 0xC4, 0xD9, 0xDA, 0xDD
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {_TABLES, 0xC8, 0xCC}
_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)  # not a stuffed byte, not a restart


class _Segment(NamedTuple):
    start: int  # of its marker; it ends where the next one starts
    marker: int
    body: bytes  # without marker, length, and the compressed data that follows a start of scan


class _Component(NamedTuple):
    id: int
    across: int  # samples for each `max(across)` pixels of the picture
    down: int


def needs_all_scans(photo: bytes) -> bool:
    """Whether a decoder holds the whole JPEG before its first row: progressive, or a scan per component.

    Raises PhotoRejected for a JPEG of far too many parts, or more than MAX_HEADER before the first scan.
    """
    components = b""
    for segment in _segments(photo):
        if segment.start > MAX_HEADER:
            raise PhotoRejected("too_many_parts", f"This JPEG has {MAX_HEADER >> 20} MiB before its picture.")
        if segment.marker in _FRAMES:
            if segment.marker not in _SINGLE_PASS:
                return True
            components = segment.body[5:6]
        elif segment.marker == _SOS:
            return segment.body[:1] < components
    return False


def check_scans(photo: bytes) -> None:
    """Raises PhotoRejected for a JPEG of more than MAX_SCANS scans: each is one more pass over the picture."""
    if sum(segment.marker == _SOS for segment in _segments(photo)) > MAX_SCANS:
        raise PhotoRejected("too_many_scans", f"This JPEG has more than {MAX_SCANS} scans, which no camera writes.")


def without_hidden_scans(photo: bytes) -> bytes:
    """The JPEG `photo` without what a decode at 1/8 cannot see, for that use only: 90 → 32 ms at 12 MP.

    Each hidden component gets one scan that says "no detail" instead, or the decoder would think the
    picture incomplete and smooth it. `photo` comes back as it is when there is anything unusual about it.
    """
    segments = list(_segments(photo))
    frames = [segment for segment in segments if segment.marker in _FRAMES]
    usual = (
        [frame.marker for frame in frames] == [_PROGRESSIVE]
        and all(segment.marker != _RESTARTS for segment in segments)
        and segments[-1].marker == _EOI
    )
    if not usual:
        return photo
    hidden = _hidden_at_an_eighth(frames[0].body)
    detail = [s for s in segments if s.marker == _SOS and s.body[1] in hidden and s.body[-3] > 0]
    if {s.body[1] for s in detail if s.body[-3] == 1} != hidden.keys():
        return photo  # so coarse a picture that the decoder does smooth it
    kept = [photo[s.start : following.start] for s, following in pairwise(segments) if s not in detail]
    no_detail = [_no_detail(component, blocks) for component, blocks in hidden.items()]
    return b"".join([b"\xff\xd8", *kept, _NO_DETAIL_CODE, *no_detail, b"\xff\xd9"])


def _segments(photo: bytes) -> Iterator[_Segment]:
    """The segments of the first picture in `photo`, as far as they go: its end marker last, if it has one.

    Raises PhotoRejected for more than MAX_SEGMENTS: 50 MiB of empty ones take a decoder 20 s.
    """
    position = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(photo, position)
        if not found:
            return
        marker, after = found[1][0], found.end()
        if marker == _EOI:
            yield _Segment(found.start(), marker, b"")
            return
        position = after + int.from_bytes(photo[after : after + 2], "big")
        yield _Segment(found.start(), marker, photo[after + 2 : position])
    raise PhotoRejected("too_many_parts", f"This JPEG has more than {MAX_SEGMENTS} parts, which no camera writes.")


def _hidden_at_an_eighth(frame: bytes) -> dict[int, int]:
    """Of each component that 1/8 shrinks to its means: its id, and the number of its blocks.

    The others, as the colours of 4:2:0, are coarse already, so the decoder shrinks them less.
    """
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    components = [_Component(c[0], c[1] >> 4, c[1] & 15) for c in (frame[i : i + 3] for i in range(6, len(frame), 3))]
    across, down = max(c.across for c in components), max(c.down for c in components)
    return {
        c.id: ceil(ceil(width * c.across / across) / 8) * ceil(ceil(height * c.down / down) / 8)
        for c in components
        if across % (2 * c.across) or down % (2 * c.down)
    }


_LONGEST_RUN: Final = 32_767  # of blocks without detail, that one code can stand for
_NO_DETAIL_CODE: Final = b"\xff\xc4\x00\x14\x10" + b"\x01" + bytes(15) + b"\xe0"  # a table with that code, as bit 0


def _no_detail(component: int, blocks: int) -> bytes:
    """A scan saying that no block of `component` has any detail."""
    bits = ("0" + "1" * 14) * ceil(blocks / _LONGEST_RUN)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return b"\xff\xda\x00\x08\x01" + bytes([component, 0x00, 1, 63, 0x00]) + data
