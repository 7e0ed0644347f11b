"""The snapshot of the catalogue: in the order of S3, from any key or id, and without discarded items."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from photos.catalogue import Item, State
from photos.keys import photo_id
from photos.snapshot import Snapshot

# UTF-8 sorts U+FFFD before the mountain, UTF-16 after it.
KEYS = ["a", "a b", "a/b", "aB", "ab", "b", "z\0", "é", "\ufffd", "🏔"]
ITEMS = [
    Item(key, photo_id(key), State.READY, datetime(2026, 1, number, tzinfo=UTC), "e", "01", {256: f"{key}/256.webp"})
    for number, key in enumerate(KEYS, start=1)
]


@pytest.fixture
def snapshot() -> Iterator[Snapshot]:
    with closing(Snapshot()) as snapshot:
        snapshot.add(ITEMS[5:])
        snapshot.add(reversed(ITEMS[:5]))
        snapshot.sort()
        yield snapshot


def test_items_are_sorted_by_key_or_id(snapshot: Snapshot) -> None:
    by_id = sorted(ITEMS, key=lambda item: item.id)
    assert list(snapshot.items_by("key")) == ITEMS
    assert list(snapshot.items_by("id")) == by_id
    assert list(snapshot.items_by("key", after="aA")) == ITEMS[3:]
    assert list(snapshot.items_by("id", after=by_id[3].id)) == by_id[4:]


def test_items_can_be_discarded_while_they_are_read(snapshot: Snapshot) -> None:
    read = []
    for item in snapshot.items_by("key"):
        read.append(item)
        snapshot.discard(item.key)
    assert read == ITEMS
    assert list(snapshot.items_by("id")) == []
