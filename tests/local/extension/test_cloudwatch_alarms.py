"""Alarms of the emulator: when they are raised, as the CloudWatch guide has it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local.emulator import ACCOUNT, REGION
from local.extension import cloudwatch_alarms


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    """An account in which nothing was measured yet."""
    with request_scope(ACCOUNT, REGION):
        yield
        cloudwatch.reset()


def alarm(**other: Any) -> dict[str, Any]:
    return {
        "AlarmName": "waiting",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:waiting",
        "Namespace": "AWS/SQS",
        "MetricName": "Waiting",
        "Dimensions": [{"Name": "QueueName", "Value": "ours"}],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 2,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "StateValue": "OK",
    } | other


def measured(value: float, *, minutes_ago: float = 0.5, queue: str = "ours") -> None:
    """The metric had this value."""
    cloudwatch._store_datum(
        "AWS/SQS", "Waiting", {"QueueName": queue}, time.time() - 60 * minutes_ago, "None", value, None, None, None
    )


def state_of(watching: dict[str, Any]) -> str:
    cloudwatch_alarms.evaluate_alarm(watching)
    state: str = watching["StateValue"]
    return state


def test_is_raised_at_its_threshold_and_says_why() -> None:
    watching = alarm()
    measured(1)
    assert state_of(watching) == "OK"
    measured(2)
    assert state_of(watching) == "ALARM"
    assert watching["StateReason"] == "Waiting was [2.0], the threshold is 2"


def test_looks_at_its_own_queue_only() -> None:
    measured(9, queue="theirs")
    assert state_of(alarm()) == "OK"


def test_ends_when_its_period_is_over() -> None:
    watching = alarm(StateValue="ALARM")
    measured(9, minutes_ago=1.5)
    assert state_of(watching) == "OK"


@pytest.mark.parametrize(
    ("treated", "before", "state"),
    [
        ("notBreaching", "ALARM", "OK"),
        ("breaching", "OK", "ALARM"),
        ("missing", "OK", "INSUFFICIENT_DATA"),
        ("ignore", "ALARM", "ALARM"),
    ],
)
def test_missing_data_is_treated_as_the_alarm_says(treated: str, before: str, state: str) -> None:
    assert state_of(alarm(TreatMissingData=treated, StateValue=before)) == state


@pytest.mark.parametrize(("needed", "state"), [(None, "OK"), (2, "ALARM"), (3, "OK")])
def test_so_many_periods_of_so_many_have_to_breach(needed: int | None, state: str) -> None:
    for minutes, value in enumerate([3, 0, 3]):
        measured(value, minutes_ago=minutes + 0.5)
    assert state_of(alarm(EvaluationPeriods=3, DatapointsToAlarm=needed)) == state


@pytest.mark.parametrize(("statistic", "state"), [("Sum", "ALARM"), ("Average", "OK"), ("Minimum", "OK")])
def test_its_statistic_decides(statistic: str, state: str) -> None:
    measured(0)
    measured(2.5)
    assert state_of(alarm(Statistic=statistic)) == state


@pytest.mark.parametrize("operator", ["LessThanThreshold", "LessThanOrEqualToThreshold", "GreaterThanThreshold"])
def test_every_comparison(operator: str) -> None:
    for value, states in ((1, "LessThan"), (2, "OrEqual"), (3, "GreaterThan")):
        cloudwatch.reset()
        measured(value)
        assert (state_of(alarm(ComparisonOperator=operator)) == "ALARM") == (states in operator), value
