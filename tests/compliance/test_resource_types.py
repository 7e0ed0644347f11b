"""Every type of resource is a decision: none is a setting of the whole account, and none can be left unseen."""

import json
from pathlib import Path

import pytest

from local.inventory import LIST_CALLS, PARENT_TYPES
from local.stubbed import STUBBED


@pytest.fixture(scope="module")
def types(assembly: Path) -> set[str]:
    """Those of all templates."""
    return {
        resource["Type"]
        for file in assembly.glob("*.template.json")
        for resource in json.loads(file.read_text())["Resources"].values()
    }


@pytest.mark.guarantee("Leaves nothing behind")
def test_each_is_known_and_no_setting_of_the_account(types: set[str]) -> None:
    assert types - {*LIST_CALLS, *PARENT_TYPES, *STUBBED} == set(), "see `local/inventory.py` for what to decide"


def test_each_part_is_one_of_something_that_is_listed() -> None:
    for part in PARENT_TYPES:
        whole = part
        while whole in PARENT_TYPES:
            whole = PARENT_TYPES[whole]
        assert whole in LIST_CALLS, part


def test_nothing_is_known_in_two_ways() -> None:
    assert LIST_CALLS.keys() & PARENT_TYPES.keys() == set()


@pytest.mark.parametrize("kind", ["AWS::ApiGateway::Account", "AWS::EC2::SnapshotBlockPublicAccess"])
def test_settings_of_the_account_are_not_known(kind: str) -> None:
    assert kind not in {*LIST_CALLS, *PARENT_TYPES, *STUBBED}
