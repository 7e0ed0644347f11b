"""Cursors are read as they were written, and anything else is rejected."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.cursor import InvalidCursor, decode_cursor, encode_cursor
from photos.listing import Position

CREATED_AT = "2026-11-24T10:00:00.000Z"
# S3 keys are UTF-8 of at most 1,024 bytes.
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda key: len(key.encode()) <= 1024)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@given(KEYS)
def test_cursor_round_trip(key: str) -> None:
    cursor = encode_cursor(Position(CREATED_AT, key))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert decode_cursor(cursor) == Position(CREATED_AT, key)


@given(st.text(max_size=200) | st.text("ABCabc019-_=", max_size=200) | st.binary().map(base64url))
def test_malformed_cursor_is_rejected(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor)


@pytest.mark.parametrize(
    "position", [b"", *(CREATED_AT.encode() + end for end in (b"", b" ", b" \xff")), b"yesterday a.jpg"]
)
def test_invalid_position_is_rejected(position: bytes) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(base64url(position).rstrip("="))


def test_only_the_canonical_form_is_accepted() -> None:
    cursor = encode_cursor(Position(CREATED_AT, "a.jpg"))  # 30 bytes: no unused bits, no padding
    padded = encode_cursor(Position(CREATED_AT, "a.jpeg"))
    unused_bits = padded[:-1] + chr(ord(padded[-1]) + 1)
    for changed in (f"{cursor}=", f"{cursor}\n", f" {cursor}", cursor[:-1], unused_bits):
        with pytest.raises(InvalidCursor):
            decode_cursor(changed)


@pytest.mark.parametrize("key", ["k" * 1024, "\x01" * 1024, "ø" * 512])
def test_cursor_of_the_longest_key_fits_the_contract(key: str) -> None:
    assert len(encode_cursor(Position(CREATED_AT, key))) <= 2000
