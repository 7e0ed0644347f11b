"""Opaque cursors for pages of photos.

A cursor is the base64url form of a position in the list. It is neither signed nor secret, because a forged cursor can
only select another position in the same list.
"""

import base64
import re
from typing import Final

from photos.listing import Position

_POSITION: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (.+)", re.ASCII | re.DOTALL)


class InvalidCursor(ValueError):
    """The cursor does not come from a page of photos. The message is a sentence to display."""

    def __init__(self, cursor: str) -> None:
        super().__init__(f"query.cursor must be the next_cursor of a page of photos, but received {cursor[:100]!r}")


def encode_cursor(position: Position) -> str:
    """Encode a position as letters, digits, `-`, and `_`."""
    return base64.urlsafe_b64encode(" ".join(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    """Decode a cursor.

    Raises:
        InvalidCursor: `encode_cursor` does not write this text.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise InvalidCursor(cursor) from None
    match = _POSITION.fullmatch(text)
    if not match or encode_cursor(position := Position(match[1], match[2])) != cursor:
        raise InvalidCursor(cursor)
    return position
