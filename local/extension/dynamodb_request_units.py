"""Request units of DynamoDB: what a read or a write is billed for, with its indexes.

Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html, for item sizes
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html, and for indexes "Write
capacity units" in https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html. The emulator knows the
sizes and the index rules, but rounds each read to one item of 4 KB.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

from ministack.services import dynamodb

# An item or a table in the form of the emulator.
Attributes = Mapping[str, Any]

_READ_BYTES = 4096
_OVERHEAD_BYTES = 100


def item_size(item: Attributes | None) -> int:
    """Return the size of an item in bytes: the names and values of its attributes. 0 if there is no item."""
    return int(dynamodb._item_size_bytes(item)) if item else 0


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of a read.

    Args:
        size: Bytes of the item, or of all items together that a query or a scan read before it filtered them.
        consistent: Whether the read is strongly consistent. An eventually consistent one costs half.
    """
    return max(1, ceil(size / _READ_BYTES)) * (1 if consistent else 0.5)


def write_units(table: Attributes, old: Attributes | None, new: Attributes | None) -> float:
    """Return the units of a write: one per KB of the larger item in the table, and those of each changed index entry.

    An index whose entry stays the same costs nothing. A new key costs two writes, because the entry moves.

    Args:
        table: The table with its indexes.
        old: The item before the write.
        new: The item after the write. Without an old item, its deletion costs one unit.
    """
    indexes: float = sum(
        dynamodb._index_write_units(table, index, old, new) for index in table["GlobalSecondaryIndexes"]
    )
    return failed_write_units(old if item_size(old) > item_size(new) else new) + indexes


def failed_write_units(item: Attributes | None) -> float:
    """Return the units of a conditional write that fails: those of the existing item, at least one, without indexes."""
    return float(dynamodb._capacity_kb(item_size(item)))


def stored_bytes(table: Attributes, item: Attributes | None) -> int:
    """Return the billed storage of an item and its index entries, with 100 bytes of overhead for each."""
    if not item:
        return 0
    views = [dynamodb._index_write_view(table, index, item) for index in table["GlobalSecondaryIndexes"]]
    return sum(item_size(stored) + _OVERHEAD_BYTES for stored in (item, *(view[1] for view in views if view)))
