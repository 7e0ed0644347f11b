"""Settings: defaults, valid values, and the error for an invalid one."""

import re
from dataclasses import fields
from typing import Any

import pytest

from stacks.support.settings import SettingError, Settings, emulator_settings


def test_defaults_match_cdk_json_and_accept_no_traffic(context: dict[str, Any]) -> None:
    assert Settings.from_context(context) == Settings()
    assert Settings().allowed_cidr is None


def test_settings_are_read_from_text_as_the_cdk_cli_passes_them() -> None:
    values = {
        "name": "annas-photos",
        "allowed_cidr": "203.0.113.7/32",
        "time_zone": "Europe/Vienna",
        "alert_email": "anna@example.com",
        "monthly_budget_usd": "12.50",
        "thumbnails_on": "fargate",
        "expires_at": "2026-11-28T20:00:00Z",
        "target": "local",
    }
    assert values.keys() == {field.name for field in fields(Settings)}
    expected: dict[str, Any] = {**values, "monthly_budget_usd": 12.5}
    assert Settings.from_context(values) == Settings(**expected)


@pytest.mark.parametrize(
    "context",
    [{"@aws-cdk/core:x": True, "aws:cdk:y": 1, "cli-telemetry": False}, {"allowed_cidr": "", "alert_email": None}],
    ids=["of the CDK", "empty"],
)
def test_other_context_and_empty_values_are_ignored(context: dict[str, Any]) -> None:
    assert Settings.from_context(context) == Settings()


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("name", ["Photos", "1photo", "a--b", "a-", "a" * 21, "photos\n", 7]),
        ("name", [""]),
        ("time_zone", [""]),
        ("monthly_budget_usd", [""]),
        ("name", ["aws-photos", "ecstasy", "fargate", "internal-photos", "sthree", "amzn-s3-demo"]),
        ("allowed_cidr", ["0.0.0.0/0", "128.0.0.0/1", "203.0.113.7", "203.0.113.7/24", "2001:db8::/32", "me", 32]),
        ("time_zone", ["Vienna", "../UTC", "Factory", "localtime", ["Etc/UTC"]]),
        ("alert_email", ["anna", "anna@example", "anna@example.com, ben@example.com", 7]),
        ("monthly_budget_usd", ["0", "-5", "nan", "twenty", True, [20]]),
        ("thumbnails_on", ["", "batch", "Lambda", "lambda,ec2", True, ["ec2"]]),
        ("expires_at", ["tomorrow", "8", "2026-11-28", "2026-11-28T20:00:00", "2026-02-30T00:00:00Z", 8, True]),
        ("expires_at", ["0001-01-01T00:00:00+01:00", "2026-11-28T20:00:00+01:00", "2026-11-28T20:00Z"]),
        ("target", ["azure", True]),
        ("alowed_cidr", ["203.0.113.7/32"]),
        ("Name", ["photos"]),
    ],
)
def test_invalid_setting_is_reported_in_one_line_with_key_and_value(key: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(SettingError) as error:
            Settings.from_context({key: value})
        pattern = rf"Setting {key}: expected .+, but received {re.escape(repr(value))}(\. Did you mean .+\?)?"
        assert re.fullmatch(pattern, str(error.value))


@pytest.mark.parametrize(
    ("value", "meant"), [("10.0.0.1/24", "10.0.0.0/24"), ("203.0.113.7", "203.0.113.7/32"), ("1.2.3.4/8", "1.0.0.0/8")]
)
def test_similar_address_is_suggested(value: str, meant: str) -> None:
    with pytest.raises(SettingError, match=rf"but received '{value}'\. Did you mean {meant}\?$"):
        Settings.from_context({"allowed_cidr": value})
    assert Settings.from_context({"allowed_cidr": meant}).allowed_cidr == meant


@pytest.mark.parametrize("value", ["2026-11-28T21:00:00+01:00", "2026-11-28T20:00Z", "2026-11-28 20:00:00.5Z"])
def test_similar_time_is_suggested_in_utc(value: str) -> None:
    with pytest.raises(SettingError, match=r"Did you mean 2026-11-28T20:00:00Z\?$"):
        Settings.from_context({"expires_at": value})


@pytest.mark.parametrize("value", ["1.2.3.4/4", "10.0.0.1/33", "300.0.0.1/24", "me"])
def test_nothing_is_suggested_that_is_not_allowed(value: str) -> None:
    with pytest.raises(SettingError, match=rf"but received '{value}'$"):
        Settings.from_context({"allowed_cidr": value})


@pytest.mark.parametrize(
    ("endpoint_url", "target"),
    [
        (None, "aws"),
        ("", "aws"),
        ("https://vpce-1.s3.us-east-1.vpce.amazonaws.com", "aws"),
        ("http://10.0.0.1:4566", "aws"),
        ("http://127.0.0.1:4566", "local"),
        ("http://localhost:4566/", "local"),
        ("http://[::1]:4566", "local"),
    ],
)
def test_emulator_on_this_machine_changes_the_defaults(endpoint_url: str | None, target: str) -> None:
    assert Settings.from_context(emulator_settings(endpoint_url)).target == target
