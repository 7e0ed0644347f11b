"""The inventory or the list of stubs covers every resource type, and no stack changes an account setting."""

from pathlib import Path

import pytest

from local.inventory import LIST_CALLS, PARENT_TYPES
from local.stubbed import STUBBED
from tests.templates import read_all_resources


@pytest.mark.guarantee("Leaves nothing behind")
def test_every_resource_type_is_in_the_inventory_or_stubbed(each_assembly: Path) -> None:
    types = {resource["Type"] for resource in read_all_resources(each_assembly).values()}
    assert types - {*LIST_CALLS, *PARENT_TYPES, *STUBBED} == set(), (
        "add the type to local/inventory.py or local/stubbed.py"
    )
    assert types >= STUBBED.keys(), "remove the type from local/stubbed.py"


def test_every_child_type_has_a_listed_ancestor() -> None:
    assert LIST_CALLS.keys() & PARENT_TYPES.keys() == set()
    for child in PARENT_TYPES:
        ancestor = child
        while ancestor in PARENT_TYPES:
            ancestor = PARENT_TYPES[ancestor]
        assert ancestor in LIST_CALLS, child
