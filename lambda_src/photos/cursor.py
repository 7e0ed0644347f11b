"""Cursors: where a page of photos ends, in a form that clients pass back and cannot write themselves.

A cursor holds a place in the list and a signature. One that is broken, made up, or of another deployment is refused
before it reaches the table. It could never lead out of the list, whose name is not in it: a signature by something as
poorly kept as the name of a table is enough, and needs no secret stored anywhere.
"""

import base64
import hmac
from typing import Final

from photos.listing import Position

_SIGNATURE: Final = 16  # bytes


class InvalidCursor(ValueError):
    """This was not made here. The message is a sentence for people."""


class Cursors:
    """Writes and reads cursors. `signed_with`: the name of the catalogue's table"""

    def __init__(self, signed_with: str) -> None:
        self._secret = signed_with.encode()

    def write(self, place: Position) -> str:
        """The cursor of a place: letters, digits, - and _."""
        told = " ".join(place).encode()
        return base64.urlsafe_b64encode(self._signature(told) + told).decode().rstrip("=")

    def read(self, cursor: str) -> Position:
        """The place of a cursor. Raises InvalidCursor."""
        try:
            read = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            read = b""
        signature, told = read[:_SIGNATURE], read[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._signature(told)):
            raise InvalidCursor("The cursor is not one that came with a page of photos.")
        created_at, _, key = told.decode().partition(" ")
        return Position(created_at, key)

    def _signature(self, told: bytes) -> bytes:
        return hmac.digest(self._secret, told, "sha256")[:_SIGNATURE]
