"""Cursors: what was written is read again, and nothing else is."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.cursor import Cursors, InvalidCursor
from photos.listing import Position

CURSORS = Cursors(signed_with="Catalogue-1ABC")
PLACE = Position("2026-11-24T10:00:00.000Z", "uploads/a b/ü.jpg")
# S3 keys are UTF-8 of at most 1,024 bytes.
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda key: len(key.encode()) <= 1024)


@given(KEYS)
def test_read_as_written(key: str) -> None:
    place = Position(PLACE.created_at, key)
    cursor = CURSORS.write(place)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert CURSORS.read(cursor) == place


@given(
    st.one_of(
        st.text(max_size=200),
        st.text("ABCabc019-_=", max_size=200),
        st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    )
)
def test_what_was_not_written_here_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor, match=r"^The cursor is not one"):
        CURSORS.read(cursor)


@given(st.integers(min_value=0), st.characters(exclude_categories=["Cs"]))
def test_a_changed_one_is_refused(position: int, character: str) -> None:
    cursor = CURSORS.write(PLACE)
    position %= len(cursor) - 1  # the last character has bits that mean nothing
    changed = cursor[:position] + character + cursor[position + 1 :]
    if changed != cursor:
        with pytest.raises(InvalidCursor):
            CURSORS.read(changed)


def test_one_of_another_deployment_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.read(Cursors(signed_with="Catalogue-2DEF").write(PLACE))


def test_the_longest_key_fits_the_contract() -> None:
    for key in ("k" * 1024, "\x01" * 1024, '"' * 1024, "ø" * 512):
        assert len(CURSORS.write(Position(PLACE.created_at, key))) <= 2000, key
