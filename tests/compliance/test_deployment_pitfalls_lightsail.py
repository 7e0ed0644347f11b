"""What has gone wrong for others who deployed Lightsail by CloudFormation."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template
from cfnlint.api import lint  # type: ignore[import-untyped]  # it has no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

pytestmark = pytest.mark.guarantee("Deploys the first time")

_OF_DOCUMENTATION = {"192.0.2.1/32", "2001:db8::1/128"}


@pytest.fixture
def server(template: Callable[[str], Template]) -> dict[str, Any]:
    (server,) = template("Lightsail").find_resources("AWS::Lightsail::Instance").values()
    properties: dict[str, Any] = server["Properties"]
    return properties


def test_closed_is_a_port_for_nobody_as_no_port_is_open_to_the_world(server: dict[str, Any]) -> None:
    # CloudFormation skips an empty list, and Lightsail's own firewall has SSH and HTTP open (aws-cdk PR 16851).
    (port,) = server["Networking"]["Ports"]
    assert {*port["Cidrs"], *port["Ipv6Cidrs"]} == _OF_DOCUMENTATION
    assert "CidrListAliases" not in port  # would let Lightsail's SSH console in


def test_the_system_is_not_a_retired_blueprint(server: dict[str, Any]) -> None:
    # Application blueprints of Bitnami (`wordpress`, `nginx`, `lamp_8_bitnami` …) create nothing since 2026-11-19.
    assert server["BlueprintId"] in {"amazon_linux_2023", "ubuntu_24_04", "debian_12"}


def test_a_changed_page_is_not_lost_as_cloudformation_ignores_changed_user_data(server: dict[str, Any]) -> None:
    assert re.search(r"-[0-9a-f]{8}$", server["InstanceName"])


def test_no_zone_is_named_that_an_account_may_lack(server: dict[str, Any]) -> None:
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
def test_the_bundle_is_one_of_the_region(
    template: Callable[[str], Template], server: dict[str, Any], region: str, bundle: str
) -> None:
    # In Mumbai and Sydney bundles have other names: "The bundle nano_3_0 does not exist".
    conditions = template("Lightsail").to_json()["Conditions"]
    chosen = server["BundleId"]
    while not isinstance(chosen, str):
        condition, then, otherwise = chosen["Fn::If"]
        chosen = then if conditions[condition] == {"Fn::Equals": [{"Ref": "AWS::Region"}, region]} else otherwise
    assert chosen == bundle


def test_the_script_is_for_the_shell_that_lightsail_runs_it_with(server: dict[str, Any]) -> None:
    parts = server["UserData"]["Fn::Join"][1]  # around the URL of the API, known when that is deployed
    script = "".join(part if isinstance(part, str) else "known-then" for part in parts)
    assert script.startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n"], input=script, text=True).returncode == 0


@pytest.mark.parametrize("change", [None, ("Server", "Hostname"), ("Address", "Region")])
def test_cfn_lint_knows_these_types_and_their_properties(assembly: Path, change: tuple[str, str] | None) -> None:
    template = json.loads((assembly / "Lightsail.template.json").read_text())
    if change:
        resource, unknown = change
        template["Resources"][resource]["Properties"][unknown] = "x"
    findings = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))
    assert [finding.rule.id for finding in findings] == (["E3002"] if change else [])
