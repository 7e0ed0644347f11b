"""The list of resource types that are stubbed."""

import json
from pathlib import Path

from local.stubbed import STUBBED


def _types(*templates: Path) -> set[str]:
    return {resource["Type"] for file in templates for resource in json.loads(file.read_text())["Resources"].values()}


def test_stubbed_types_are_types_of_the_stacks(assembly: Path) -> None:
    assert STUBBED.keys() <= _types(*assembly.glob("*.template.json"))


def test_all_lightsail_types_are_stubbed(assembly: Path) -> None:
    assert _types(assembly / "Lightsail.template.json") - {"AWS::CDK::Metadata"} <= STUBBED.keys()
