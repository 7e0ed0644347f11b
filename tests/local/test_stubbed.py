"""What a person is told to be on paper only."""

import json
from pathlib import Path

import pytest

from local.stubbed import STUBBED


def test_speaks_only_of_what_the_stacks_have(assembly: Path) -> None:
    types = {
        resource["Type"]
        for file in assembly.glob("*.template.json")
        for resource in json.loads(file.read_text())["Resources"].values()
    }
    assert STUBBED.keys() <= types


@pytest.mark.parametrize("service", ["Lightsail"])
def test_speaks_of_all_of_a_service_that_the_emulator_lacks(assembly: Path, service: str) -> None:
    template = json.loads((assembly / f"{service}.template.json").read_text())
    assert {it["Type"] for it in template["Resources"].values()} - {"AWS::CDK::Metadata"} <= STUBBED.keys()
