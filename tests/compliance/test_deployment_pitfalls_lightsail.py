"""Pitfalls of Lightsail in CloudFormation: each has opened or broken a server, or lost an update."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it has no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.templates import only, read_resources, read_template

pytestmark = pytest.mark.guarantee("Deploys the first time")


@pytest.fixture(scope="module")
def server(assembly: Path) -> dict[str, Any]:
    return only(read_resources(assembly, "Lightsail"), "AWS::Lightsail::Instance")[1]


def test_blueprint_is_not_retired(server: dict[str, Any]) -> None:
    """Bitnami blueprints (`wordpress`, `nginx`, `lamp_8_bitnami`, …) create no servers since 2026-11-19."""
    assert server["BlueprintId"] in {"amazon_linux_2023", "ubuntu_24_04", "debian_12"}


def test_server_name_contains_a_hash(server: dict[str, Any]) -> None:
    """CloudFormation ignores changed user data unless the name changes as well."""
    assert re.search(r"-[0-9a-f]{8}$", server["InstanceName"])


def test_server_has_no_fixed_availability_zone(server: dict[str, Any]) -> None:
    """Some accounts lack some Availability Zones."""
    assert "AvailabilityZone" not in server


@pytest.mark.parametrize(
    ("region", "bundle"),
    [
        ("us-east-1", "nano_3_0"),
        ("eu-central-1", "nano_3_0"),
        ("ap-south-1", "nano_3_1"),
        ("ap-southeast-2", "nano_3_2"),
    ],
)
def test_bundle_exists_in_the_region(assembly: Path, server: dict[str, Any], region: str, bundle: str) -> None:
    """Some bundles have other names in Mumbai and Sydney: "The bundle nano_3_0 does not exist"."""
    conditions = read_template(assembly, "Lightsail")["Conditions"]
    chosen = server["BundleId"]
    while not isinstance(chosen, str):
        condition, then, otherwise = chosen["Fn::If"]
        chosen = then if conditions[condition] == {"Fn::Equals": [{"Ref": "AWS::Region"}, region]} else otherwise
    assert chosen == bundle


def test_user_data_is_valid_for_the_shell_of_lightsail(server: dict[str, Any]) -> None:
    parts = server["UserData"]["Fn::Join"][1]  # with the URL of the API, which is a reference
    script = "".join(part if isinstance(part, str) else "reference" for part in parts)
    assert script.startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n"], input=script, text=True).returncode == 0


@pytest.mark.parametrize("change", [None, ("Server", "Hostname"), ("Address", "Region")])
def test_cfn_lint_checks_the_properties_of_lightsail(assembly: Path, change: tuple[str, str] | None) -> None:
    template = read_template(assembly, "Lightsail")
    if change:
        resource, unknown = change
        template["Resources"][resource]["Properties"][unknown] = "x"
    findings = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))
    assert [finding.rule.id for finding in findings] == (["E3002"] if change else [])
