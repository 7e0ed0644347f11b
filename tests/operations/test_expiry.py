"""The expiry on the command line: hours, the time in UTC and in local time, the cost, and its deletion."""

import time
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from operations import destroy as destroy_module
from operations.account import Account
from operations.deployed_stacks import DeployedStack
from operations.expiry import cost_until, describe_expiry, expires_at_after
from operations.settings import command_line_settings


@pytest.mark.parametrize("hours", ["8", "0.01", "1e3"])
def test_hours_become_a_utc_time_rounded_up_to_the_minute(hours: str) -> None:
    earliest = datetime.now(UTC) + timedelta(hours=float(hours))
    expires_at = command_line_settings([("expires_after_hours", hours)])["expires_at"]
    latest = datetime.now(UTC) + timedelta(hours=float(hours), minutes=1)
    assert earliest <= datetime.fromisoformat(expires_at) <= latest
    assert expires_at.endswith(":00Z")


def test_no_hours_reset_the_expiry() -> None:
    assert command_line_settings([("expires_after_hours", "")])["expires_at"] == ""


def test_expiry_is_shown_in_utc_and_in_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    try:
        text = describe_expiry("2100-01-01T23:30:00Z")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "2100-01-01T23:30:00Z" in text
    assert "Sat 00:30" in text and "CET" in text


def test_cost_until_the_expiry() -> None:
    assert cost_until(expires_at_after("10"), 0.5).startswith("$5.0")
    assert cost_until("2026-01-01T00:00:00Z", 0.5).startswith("$0.00")


def test_destroy_deletes_the_expiry_before_the_other_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    now, deleted = datetime.now(UTC), []
    stacks = {
        stack: DeployedStack(stack, f"a-{stack}", f"arn:{stack}", "CREATE_COMPLETE", now, {}, [])
        for stack in ("Api", "Expiry", "Thumbnails")
    }
    monkeypatch.setattr(destroy_module, "current_account", lambda _: Account("123456789012", "us-east-1", "anna"))
    monkeypatch.setattr(destroy_module, "find_stacks", lambda *_: dict(stacks))
    monkeypatch.setattr(destroy_module, "delete_stacks", lambda _, chosen: deleted.append({*chosen}))
    destroy_module.destroy(boto3.Session(), "a", yes=True)
    assert deleted == [{"Expiry"}, {"Api", "Thumbnails"}]
