"""Every resource type is decided on: none is an account setting, and the inventory would find each one left behind."""

from pathlib import Path

import pytest

from local.inventory import LIST_CALLS, PARENT_TYPES
from local.stubbed import STUBBED
from tests.templates import read_all_resources


@pytest.mark.guarantee("Leaves nothing behind")
def test_every_resource_type_is_in_the_inventory_or_stubbed(assembly: Path) -> None:
    types = {resource["Type"] for resource in read_all_resources(assembly).values()}
    assert types - {*LIST_CALLS, *PARENT_TYPES, *STUBBED} == set(), "decide in local/inventory.py"


def test_every_part_belongs_to_a_listed_type() -> None:
    assert LIST_CALLS.keys() & PARENT_TYPES.keys() == set()
    for part in PARENT_TYPES:
        whole = part
        while whole in PARENT_TYPES:
            whole = PARENT_TYPES[whole]
        assert whole in LIST_CALLS, part


@pytest.mark.parametrize("resource_type", ["AWS::ApiGateway::Account", "AWS::EC2::SnapshotBlockPublicAccess"])
def test_account_settings_are_not_allowed(resource_type: str) -> None:
    assert resource_type not in {*LIST_CALLS, *PARENT_TYPES, *STUBBED}
