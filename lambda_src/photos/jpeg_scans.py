"""The scans of a JPEG: how often the decoder must go over the whole picture."""

import re
from collections.abc import Iterator
from typing import Final

from photos.errors import Refused

MAX_SCANS: Final = 64  # encoders write about 10; each costs up to 10 ms at 12 megapixels

_SOS: Final = 0xDA
_EOI: Final = 0xD9
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)  # not a stuffed byte, not a restart


def check_scans(photo: bytes) -> None:
    """Refuse a JPEG with more than MAX_SCANS scans: 346 KB of them can burn 40 s."""
    for count, _ in enumerate(_scans(photo), 1):
        if count > MAX_SCANS:
            raise Refused("too_many_scans", f"This JPEG has over {MAX_SCANS} scans; no camera writes that.")


def _scans(photo: bytes) -> Iterator[int]:
    """Where each scan of the first picture in `photo` starts."""
    position = 2
    while (marker := _MARKER.search(photo, position)) and marker[1][0] != _EOI:
        if marker[1][0] == _SOS:
            yield marker.start()
        position = marker.end() + int.from_bytes(photo[marker.end() : marker.end() + 2], "big")
