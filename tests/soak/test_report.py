"""A soak with too few faults proves nothing, so it fails."""

import sys
from unittest.mock import MagicMock

import pytest

from local.errors import SandboxError
from tests.soak import __main__ as command
from tests.soak.report import SoakReport


def sufficient_report() -> SoakReport:
    report = SoakReport()
    report.counts.update({"events": 1000, "duplicated events": 100, "late events": 50, "reordered events": 20})
    report.counts.update({"calls": 1000, "killed processes": 10, "sweeps without grace period": 6})
    report.counts.update({"messages in the dead-letter queue": 3})
    report.errors.update(
        dict.fromkeys(("SlowDown", "InternalError", "timeout after execution", "connection reset"), 50)
    )
    return report


@pytest.mark.parametrize(
    ("name", "count", "missing"),
    [
        ("calls", 2000, "200 of 2000 calls failed"),
        ("calls", 500, "200 of 500 calls failed"),
        ("duplicated events", 60, "60 of 1000 events were duplicated"),
        ("late events", 0, "no late events"),
        ("reordered events", 0, "no reordered events"),
        ("killed processes", 0, "no killed processes"),
        ("sweeps without grace period", 0, "no sweeps without grace period"),
        ("messages in the dead-letter queue", 0, "no messages in the dead-letter queue"),
    ],
)
def test_missing_fault_is_reported(name: str, count: int, missing: str) -> None:
    report = sufficient_report()
    report.counts[name] = count
    report.errors += {"no connection": report.errors.pop("SlowDown")}
    kind, found = report.missing_faults(0.2, 0.1)
    assert kind == "no SlowDown" and found.startswith(missing)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (sufficient_report(), None),
        (SoakReport(), "no killed processes"),
        (SandboxError("1 problem"), "(?s)1 problem.*SEED=abc thumbnails_on=ec2"),
    ],
    ids=["success", "too few faults", "wrong result"],
)
def test_soak_fails_when_the_result_is_wrong_or_too_few_faults_occurred(
    monkeypatch: pytest.MonkeyPatch, result: SoakReport | SandboxError, message: str | None
) -> None:
    sandbox = MagicMock()
    monkeypatch.setattr(command, "running_sandbox", sandbox)
    monkeypatch.setattr(command, "soak", MagicMock(side_effect=[result]))
    monkeypatch.setattr(sys, "argv", ["soak", "--seed", "abc", "--thumbnails-on", "ec2"])
    if message is None:
        command.main()
    else:
        with pytest.raises(SystemExit, match=message):
            command.main()
    sandbox.assert_called_once_with(context={"thumbnails_on": "ec2"})
    sandbox.return_value.__enter__.return_value.deploy.assert_called_once_with("Cron", "Workers")
