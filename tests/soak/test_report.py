"""A soak with too few faults proves nothing."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.soak.report import SoakReport

SUFFICIENT = SoakReport(
    events=1000,
    duplicated=100,
    late=50,
    reordered=20,
    calls=1000,
    errors=Counter(
        {"SlowDown": 50, "InternalError": 50, "timeout after execution": 50, "connection reset": 50, "no connection": 5}
    ),
    kills=10,
    sweeps=12,
    sweeps_without_grace=6,
    dead_letters=3,
)


def test_report_with_all_faults_is_sufficient() -> None:
    assert SUFFICIENT.missing_faults(0.2) == []


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"calls": 2000}, "205 of 2000 calls failed"),
        ({"calls": 500}, "205 of 500 calls failed"),
        ({"duplicated": 60}, "60 of 1000 events were duplicated"),
        ({"errors": Counter({**SUFFICIENT.errors, "SlowDown": 0})}, "no SlowDown error"),
        ({"late": 0}, "no late event"),
        ({"reordered": 0}, "no reordered event"),
        ({"kills": 0}, "no killed process"),
        ({"sweeps_without_grace": 0}, "no sweep without a grace period"),
        ({"dead_letters": 0}, "no message in the dead-letter queue"),
    ],
    ids=lambda it: it if isinstance(it, str) else ", ".join(it),
)
def test_missing_fault_is_reported(change: dict[str, Any], missing: str) -> None:
    (found,) = replace(SUFFICIENT, **change).missing_faults(0.2)
    assert found.startswith(missing)
