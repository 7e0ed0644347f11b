"""A soak with too few faults proves nothing."""

import pytest

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


def test_report_with_all_faults_is_sufficient() -> None:
    assert sufficient_report().missing_faults(0.2, 0.1) == []


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
    (found,) = report.missing_faults(0.2, 0.1)
    assert found.startswith(missing)


def test_missing_kind_of_error_is_reported() -> None:
    report = sufficient_report()
    report.errors += {"no connection": report.errors.pop("SlowDown")}
    assert report.missing_faults(0.2, 0.1) == ["no SlowDown"]
