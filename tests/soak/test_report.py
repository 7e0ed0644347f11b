"""A soak in which too little went wrong proves nothing."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.soak.report import Happened

ENOUGH = Happened(
    events=1000,
    twice=100,
    late=50,
    overtaking=20,
    calls=1000,
    faults=Counter(
        {"SlowDown": 50, "InternalError": 50, "time-out, but done": 50, "connection reset": 50, "no connection": 5}
    ),
    kills=10,
    sweeps=12,
    acting_sweeps=6,
    dead=3,
)


def test_enough_went_wrong() -> None:
    assert ENOUGH.lacks() == []


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"calls": 2000}, "205 of 2000 calls failed, which is not about 20%"),
        ({"calls": 500}, "205 of 500 calls failed, which is not about 20%"),
        ({"twice": 60}, "60 of 1000 events were sent twice, which is not about 10%"),
        ({"faults": Counter({**ENOUGH.faults, "SlowDown": 0})}, "no failure by SlowDown"),
        ({"late": 0}, "no event late"),
        ({"overtaking": 0}, "no event out of order"),
        ({"kills": 0}, "no function killed"),
        ({"acting_sweeps": 0}, "no sweep that acts"),
        ({"dead": 0}, "no dead letter"),
    ],
    ids=lambda it: it if isinstance(it, str) else ", ".join(it),
)
def test_too_little_went_wrong(changed: dict[str, Any], lacks: str) -> None:
    assert replace(ENOUGH, **changed).lacks() == [lacks]


def test_nothing_at_all_went_wrong() -> None:
    assert len(Happened().lacks()) == 11
