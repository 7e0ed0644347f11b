"""Request units of DynamoDB: the rules and examples of the developer guide."""

from typing import Any

import pytest

from local.extension.dynamodb_request_units import (
    failed_write_units,
    item_size,
    read_units,
    stored_bytes,
    write_units,
)

_KB = 1024


def _index(name: str, keys: list[str], projection: str, *attributes: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key} for key in keys],
        "Projection": {"ProjectionType": projection, "NonKeyAttributes": list(attributes)},
    }


def _table(*indexes: dict[str, Any]) -> dict[str, Any]:
    return {"pk_name": "key", "sk_name": None, "GlobalSecondaryIndexes": list(indexes)}


def _item(size: int = 0, **texts: str) -> dict[str, Any]:
    """Return an item, of at least `size` bytes."""
    item = {"key": {"S": "k"}, **{name: {"S": text} for name, text in texts.items()}}
    return item | ({"filler": {"S": "x" * (size - item_size(item) - len("filler"))}} if size else {})


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "ü"}, 2),  # UTF-8
        ({"N": "27"}, 2),  # one byte for each two digits, and one more
        ({"N": "-27"}, 3),
        ({"B": "AAAA"}, 3),
        ({"NULL": True}, 1),
        ({"BOOL": False}, 1),
        ({"M": {"256": {"S": "abc"}}}, 3 + 1 + 3 + 3),  # 3 bytes, and one for each element
        ({"L": [{"S": "abc"}, {"S": "d"}]}, 3 + 1 + 3 + 1 + 1),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_item_has_the_size_of_names_and_values(value: dict[str, Any], size: int) -> None:
    assert item_size({"name": value}) == len("name") + size


@pytest.mark.parametrize(
    ("size", "units"),
    [(0, 1), (3.5 * _KB, 1), (4 * _KB, 1), (10 * _KB, 3), (40.8 * _KB, 11), (1500 * 64, 24)],
)
def test_read_is_rounded_up_to_4_kb_and_half_the_price_if_it_is_eventually_consistent(size: int, units: int) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [
        (None, _item(), 1),
        (None, _item(500), 1),
        (None, _item(3 * _KB + 1), 4),
        (_item(5 * _KB), _item(), 5),  # the larger one
        (_item(5 * _KB), None, 5),
        (None, None, 1),  # a deletion of nothing
    ],
)
def test_write_costs_a_unit_for_each_kb(old: Any, new: Any, units: int) -> None:
    assert write_units(_table(), old, new) == units


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [
        (None, _item(rank="1", shown="a"), 1),
        (_item(rank="1", shown="a"), None, 1),
        (_item(rank="1", shown="a"), _item(rank="1", shown="b"), 1),
        (_item(rank="1", shown="a"), _item(rank="2", shown="a"), 2),  # delete and put
        (_item(rank="1", shown="a"), _item(rank="1", shown="a", hidden="b"), 0),  # not projected
        (_item(shown="a"), _item(shown="b"), 0),  # no key, so not in the index
        (_item(shown="a"), _item(rank="1", shown="a"), 1),
        (None, _item(5 * _KB, rank="1"), 1),  # the entry is small
    ],
)
def test_index_costs_what_changes_in_its_entry(old: Any, new: Any, units: int) -> None:
    indexed = _table(_index("by-rank", ["rank"], "INCLUDE", "shown"))
    assert write_units(indexed, old, new) - write_units(_table(), old, new) == units


def test_every_index_costs_units() -> None:
    indexes = [_index("keys", ["rank"], "KEYS_ONLY"), _index("all", ["rank"], "ALL")]
    assert write_units(_table(*indexes), _item(rank="1"), _item(3 * _KB, rank="1")) == 3 + 0 + 3


def test_failed_conditional_write_costs_the_existing_item_without_indexes() -> None:
    assert failed_write_units(None) == 1
    assert failed_write_units(_item(3 * _KB, rank="1")) == 3


def test_storage_counts_each_entry_with_100_bytes_of_overhead() -> None:
    item = _item(1000, rank="1", shown="a")
    entry = item_size(_item(rank="1"))
    assert stored_bytes(_table(_index("keys", ["rank"], "KEYS_ONLY")), item) == 1000 + 100 + entry + 100
    assert stored_bytes(_table(), None) == 0
