"""The settings that `make deploy` chooses, and those that every command rejects."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations import deploy as deploy_module
from operations import settings as settings_module
from operations.deployed_stacks import DeployedStack
from operations.errors import OperationError
from operations.settings import (
    REPLACED_SOURCE,
    Choice,
    Recorded,
    check_sandbox_access,
    choose_settings,
    command_line_settings,
    make_command,
)
from stacks.support.settings import DETECTED, recorded_settings


@pytest.fixture
def cdk_json(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The context in cdk.json, which tests change."""
    context: dict[str, Any] = {"name": "other-compute", "time_zone": "Etc/UTC"}
    monkeypatch.setattr(settings_module, "cdk_json_context", lambda: context)
    return context


def _record(context: Mapping[str, Any]) -> Recorded:
    """Deploy with this context, and read the settings of the deployment."""
    outputs = {"Settings": recorded_settings(context)}
    stack = DeployedStack("Thumbnails", "a-Thumbnails", "arn", "CREATE_COMPLETE", datetime.now(UTC), outputs, [])
    return Recorded.read({"Thumbnails": stack})


def _choose(given: Mapping[str, str], recorded: Recorded, **defaults: str) -> dict[str, Choice]:
    choices = choose_settings(given, recorded, defaults=defaults, detect_cidr=lambda: "9.9.9.9/32")
    return {choice.key: choice for choice in choices}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("name", "")], "Setting name: .*''"),
        ([("time_zone", "Mars")], "Setting time_zone: .*'Mars'"),
        ([("nmae", "annas")], "Setting nmae: .*'annas'"),
        ([("name", "a"), ("name", "b")], "Setting name is given more than once"),
        ([("expires_after_hours", "soon")], "Setting expires_after_hours: .*'soon'$"),
        ([("expires_after_hours", "0")], "Setting expires_after_hours: .*'0'$"),
        ([("expires_after_hours", "nan")], "Setting expires_after_hours: .*'nan'$"),
        ([("expires_after_hours", "100000")], "Setting expires_after_hours: .*'100000'$"),
        ([("expires_after_hours", "8"), ("expires_at", "")], "Set either expires_at or expires_after_hours"),
    ],
)
def test_commands_reject_invalid_settings(pairs: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(OperationError, match=f"^{message}"):
        command_line_settings(pairs)


def test_name_comes_from_the_command_line_before_cdk_json(cdk_json: dict[str, Any]) -> None:
    assert command_line_settings([("name", "bens")])["name"] == "bens"
    cdk_json["name"] = "annas"
    assert command_line_settings([("time_zone", "Asia/Tokyo")]) == {"name": "annas", "time_zone": "Asia/Tokyo"}
    assert make_command("key", "annas") == "make key"
    assert make_command("key", "other-compute") == "make key name=other-compute"


def test_first_deployment_uses_defaults_and_the_detected_address(cdk_json: dict[str, Any]) -> None:
    choices = _choose({}, Recorded.read({}))
    assert {key: choice.value for key, choice in choices.items()} == {
        "allowed_cidr": "9.9.9.9/32",
        "time_zone": "Etc/UTC",
        "alert_email": None,
        "monthly_budget_usd": 20,
        "thumbnails_on": "lambda",
        "expires_at": None,
    }


def test_given_settings_are_kept_and_detected_ones_are_detected_again(cdk_json: dict[str, Any]) -> None:
    deployed = {"time_zone": "Asia/Tokyo", "monthly_budget_usd": "35", "allowed_cidr": "8.8.8.8/32"}
    kept = _choose({}, _record({**deployed, DETECTED: "allowed_cidr"}))
    assert kept["time_zone"].value == kept["time_zone"].previous == "Asia/Tokyo"
    assert kept["monthly_budget_usd"].value == 35
    assert (kept["allowed_cidr"].previous, kept["allowed_cidr"].value) == ("8.8.8.8/32", "9.9.9.9/32")
    assert "8.8.8.8/32 → 9.9.9.9/32" in str(kept["allowed_cidr"])
    assert "→" not in str(kept["time_zone"])
    assert _choose({}, _record(deployed))["allowed_cidr"].value == "8.8.8.8/32"


def test_command_line_changes_and_resets_settings(cdk_json: dict[str, Any]) -> None:
    recorded = _record({"alert_email": "a@example.com", "allowed_cidr": "8.8.8.8/32", "time_zone": "Asia/Tokyo"})
    choices = _choose({"alert_email": "", "allowed_cidr": "", "time_zone": "Etc/UTC"}, recorded)
    assert choices["alert_email"].value is None
    assert choices["allowed_cidr"].value == "9.9.9.9/32"
    assert "a@example.com → none" in str(choices["alert_email"])
    assert "Asia/Tokyo → Etc/UTC" in str(choices["time_zone"])


def test_cdk_json_replaces_a_setting_of_the_deployment_only_after_a_question(cdk_json: dict[str, Any]) -> None:
    cdk_json |= {"time_zone": "Europe/Vienna", "alert_email": "a@example.com"}
    choices = _choose({}, _record({"time_zone": "Asia/Tokyo", "alert_email": "a@example.com"}))
    assert (choices["time_zone"].value, choices["time_zone"].source) == ("Europe/Vienna", REPLACED_SOURCE)
    with pytest.raises(OperationError, match=r"Asia/Tokyo, but cdk\.json has Europe/Vienna.*time_zone=…"):
        deploy_module._check_nothing_is_replaced(choices.values())
    del choices["time_zone"]
    deploy_module._check_nothing_is_replaced(choices.values())


def test_context_for_the_app_marks_the_detected_address(
    cdk_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy_module, "detect_public_cidr", lambda: "9.9.9.9/32")
    given = {"name": "annas", "time_zone": "Asia/Tokyo"}
    _, context = deploy_module._settings(boto3.Session(), given, Recorded())
    recorded = json.loads(recorded_settings(context))
    assert recorded == {"given": {"time_zone": "Asia/Tokyo"}, "detected": {"allowed_cidr": "9.9.9.9/32"}}
    assert "target" not in context


def test_emulator_is_reachable_from_this_machine_and_gets_local_packages(
    cdk_json: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    session = boto3.Session()
    _, context = deploy_module._settings(session, {"name": "annas"}, Recorded())
    assert (context["target"], context["allowed_cidr"]) == ("local", "127.0.0.1/32")
    for given in ({"target": "aws"}, {"allowed_cidr": "203.0.113.7/32"}):
        with pytest.raises(OperationError, match=rf"^Setting {next(iter(given))}: "):
            deploy_module._settings(session, {"name": "annas", **given}, Recorded())


@pytest.mark.parametrize(("cidr", "reaches"), [("127.0.0.0/8", True), ("127.0.0.1/32", True), ("9.9.9.9/32", False)])
def test_sandbox_rejects_an_allowed_cidr_without_this_machine(cidr: str, reaches: bool) -> None:
    if reaches:
        check_sandbox_access({"allowed_cidr": cidr})
    else:
        with pytest.raises(OperationError, match=rf"'{cidr}' does not contain 127\.0\.0\.1/32"):
            check_sandbox_access({"allowed_cidr": cidr})


def test_settings_are_recorded_by_the_stack_thumbnails(assembly: Path) -> None:
    outputs = json.loads((assembly / "Thumbnails.template.json").read_text())["Outputs"]
    assert json.loads(outputs["Settings"]["Value"]) == {"given": {}, "detected": {}}
