"""Settings: defaults, what is accepted, and the one line for what is not."""

import re
from typing import Any

import pytest

from stacks.support.settings import SettingError, Settings


def test_defaults_are_those_in_cdk_json(context: dict[str, Any]) -> None:
    assert Settings.from_context(context) == Settings()


def test_closed_unless_addresses_are_given() -> None:
    assert Settings().allowed_cidr is None


def test_all_settings_as_the_command_line_gives_them() -> None:
    assert Settings.from_context(
        {
            "name": "annas-photos",
            "allowed_cidr": "203.0.113.7/32",
            "time_zone": "Europe/Vienna",
            "alert_email": "anna@example.com",
            "monthly_budget_usd": "12.50",
            "target": "local",
        }
    ) == Settings(
        name="annas-photos",
        allowed_cidr="203.0.113.7/32",
        time_zone="Europe/Vienna",
        alert_email="anna@example.com",
        monthly_budget_usd=12.5,
        target="local",
    )


def test_context_of_the_cdk_is_not_ours() -> None:
    assert Settings.from_context({"@aws-cdk/core:x": True, "aws:cdk:y": 1, "cli-telemetry": False}) == Settings()


def test_empty_means_not_given() -> None:
    assert Settings.from_context({"allowed_cidr": "", "alert_email": None}) == Settings()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Photos"),
        ("name", "1photo"),
        ("name", "a--b"),
        ("name", "a-"),
        ("name", "a" * 21),
        ("name", "photos\n"),
        ("name", 7),
        ("name", "aws-photos"),
        ("name", "ecstasy"),
        ("name", "fargate"),
        ("name", "internal-photos"),
        ("name", "sthree"),
        ("name", "amzn-s3-demo"),
        ("allowed_cidr", "0.0.0.0/0"),
        ("allowed_cidr", "128.0.0.0/1"),
        ("allowed_cidr", "203.0.113.7"),
        ("allowed_cidr", "203.0.113.7/24"),
        ("allowed_cidr", "2001:db8::/32"),
        ("allowed_cidr", "me"),
        ("allowed_cidr", 32),
        ("time_zone", "Vienna"),
        ("time_zone", "../UTC"),
        ("time_zone", "Factory"),
        ("time_zone", "localtime"),
        ("alert_email", "anna"),
        ("alert_email", "anna@example"),
        ("alert_email", "anna@example.com, ben@example.com"),
        ("monthly_budget_usd", "0"),
        ("monthly_budget_usd", "-5"),
        ("monthly_budget_usd", "nan"),
        ("monthly_budget_usd", "twenty"),
        ("monthly_budget_usd", True),
        ("monthly_budget_usd", [20]),
        ("target", "azure"),
        ("alowed_cidr", "203.0.113.7/32"),
        ("Name", "photos"),
    ],
)
def test_a_wrong_value_or_key_is_one_line_with_key_value_and_what_is_allowed(key: str, value: object) -> None:
    with pytest.raises(SettingError) as error:
        Settings.from_context({key: value})
    assert re.fullmatch(rf"Setting {key}: expected .+, but received {re.escape(repr(value))}", str(error.value))
