"""A snapshot of the catalogue in a temporary file, sorted by key and by id.

DynamoDB returns the items of a table in no order. An index for each order would add a write unit to every write of
every photo, while the nightly sweep pays only for its own scan. SQLite sorts the items on disk, so memory does not grow
with their number.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from photos.catalogue import Item, State
from photos.timestamps import format_utc


class Snapshot:
    """The items of the catalogue at the time of a scan."""

    def __init__(self) -> None:
        # A database without a name is a temporary file, which SQLite has already unlinked when it uses it, so not even
        # a crash leaves it behind (https://www.sqlite.org/inmemorydb.html#temp_db).
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE items (key, id, state, created_at, etag, sequencer, thumbnails)")

    def close(self) -> None:
        """Delete the file."""
        self._database.close()

    def add(self, items: Iterable[Item]) -> None:
        """Add items. Raises sqlite3.OperationalError if the disk is full."""
        self._database.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, items))

    def sort(self) -> None:
        """Sort the items, after all are added. Raises sqlite3.OperationalError if the disk is full."""
        for order in ("key", "id"):
            self._database.execute(f"CREATE INDEX by_{order} ON items ({order})")

    def discard(self, key: str) -> None:
        """Remove the item of a photo."""
        self._database.execute("DELETE FROM items WHERE key = ?", [key])

    def items_by(self, order: Literal["key", "id"], *, after: str = "") -> Iterator[Item]:
        """Yield the items, sorted by the UTF-8 bytes of their key or id, as S3 sorts.

        Args:
            order: Attribute to sort by.
            after: Start behind this key or id. Default: from the beginning.
        """
        rows = self._database.execute(f"SELECT * FROM items WHERE {order} > ? ORDER BY {order}", [after])
        return map(_item, rows)


def _row(item: Item) -> tuple[str, ...]:
    thumbnails = json.dumps(dict(item.thumbnails))
    created_at = format_utc(item.created_at)
    return item.key, item.id, item.state, created_at, item.etag, item.sequencer, thumbnails


def _item(row: tuple[str, ...]) -> Item:
    key, photo_id, state, created_at, etag, sequencer, thumbnails = row
    return Item(
        key=key,
        id=photo_id,
        state=State(state),
        created_at=datetime.fromisoformat(created_at),
        etag=etag,
        sequencer=sequencer,
        thumbnails={int(size): path for size, path in json.loads(thumbnails).items()},
    )
