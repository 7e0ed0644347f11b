"""Detects JPEG files with several scans, and limits scans, segments, and metadata."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from photos.errors import PhotoRejected

MAX_SCANS: Final = 64  # the usual scan script has 10 (CMYK: 18); a 346 KB file with thousands of scans takes 40 s
MAX_SEGMENTS: Final = 10_000  # 50 MiB of empty segments take the decoder 20 s
MAX_METADATA: Final = 8 * 2**20  # bytes before the first scan; Pillow takes 8 s for 45 MiB; phones store depth maps

# Marker codes of ITU-T T.81, table B.1: https://www.w3.org/Graphics/JPEG/itu-t81.pdf
_SEQUENTIAL: Final = (0xC0, 0xC1)  # start of frame of a photo that can be decoded while it is read
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers with a length, and the end of the image. All others (TEM, restarts, reserved ones) are skipped alone, because
# libjpeg-turbo and Pillow read no length after them, or fail: a length that only this module reads could hide scans.
# https://github.com/libjpeg-turbo/libjpeg-turbo/blob/main/src/jdmarker.c (read_markers, jpeg_resync_to_restart)
_MARKER: Final = re.compile(rb"\xff([\xc0-\xc7\xc9-\xcf\xd9-\xef\xfe])")


class _Segment(NamedTuple):
    start: int
    marker: int
    body: bytes  # without marker, length, and the compressed data after a start of scan


def has_multiple_scans(photo: bytes) -> bool:
    """Return whether the decoder must hold the whole JPEG in memory before it can return the first row.

    It must for a progressive JPEG, and for one with a scan for each component.

    Raises:
        PhotoRejected: The JPEG exceeds one of the limits of this module.
    """
    multiple, scans, components = False, 0, b""
    for segment in _segments(photo):
        if not scans and segment.start > MAX_METADATA:
            reason = f"This JPEG has more than {MAX_METADATA >> 20} MiB of metadata before the image."
            raise PhotoRejected("too_many_parts", reason)
        if segment.marker in _START_OF_FRAME:
            multiple = multiple or segment.marker not in _SEQUENTIAL
            components = segment.body[5:6]
        elif segment.marker == _START_OF_SCAN:
            multiple = multiple or segment.body[:1] < components
            if not multiple:
                return False
            scans += 1
    if scans > MAX_SCANS:  # each scan is one more pass over the whole image
        raise PhotoRejected("too_many_scans", f"This JPEG has more than {MAX_SCANS} scans.")
    return multiple


def _segments(photo: bytes) -> Iterator[_Segment]:
    """Yield the segments of the first image in the file, up to its end marker or the end of the file.

    An end marker before the first scan does not count, because Pillow continues after it.
    """
    position, scanned = 2, False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(photo, position)
        if not found:
            return
        marker, position = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            if scanned:
                return
            continue
        scanned = scanned or marker == _START_OF_SCAN
        body = position + 2
        position += int.from_bytes(photo[position:body], "big")
        yield _Segment(found.start(), marker, photo[body:position])
    raise PhotoRejected("too_many_parts", f"This JPEG has more than {MAX_SEGMENTS:,} segments.")
