"""The evaluation of alarms, as the CloudWatch documentation defines it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from local.emulator import ACCOUNT, REGION
from local.extension.cloudwatch_alarms import evaluate_alarm


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    """An account without data points."""
    with request_scope(ACCOUNT, REGION):
        yield
        cloudwatch.reset()


def record(value: float, *, minutes_ago: float = 0.5, queue: str = "ours") -> None:
    cloudwatch._store_datum(
        "AWS/SQS", "Waiting", {"QueueName": queue}, time.time() - 60 * minutes_ago, "None", value, None, None, None
    )


def evaluate(**properties: Any) -> dict[str, Any]:
    """Evaluate an alarm on the maximum of a queue's metric (threshold 2), and return it."""
    alarm = {
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
    } | properties
    evaluate_alarm(alarm)
    return alarm


def test_alarm_is_raised_at_its_threshold_and_states_the_reason() -> None:
    record(1)
    assert evaluate()["StateValue"] == "OK"
    record(2)
    alarm = evaluate()
    assert alarm["StateValue"] == "ALARM"
    assert "Waiting was [2.0]" in alarm["StateReason"]


def test_alarm_ignores_other_dimensions() -> None:
    record(9, queue="theirs")
    assert evaluate()["StateValue"] == "OK"


def test_alarm_ends_after_its_period() -> None:
    record(9, minutes_ago=1.5)
    assert evaluate(StateValue="ALARM")["StateValue"] == "OK"


@pytest.mark.parametrize(
    ("treatment", "before", "after"),
    [
        ("notBreaching", "ALARM", "OK"),
        ("breaching", "OK", "ALARM"),
        ("missing", "OK", "INSUFFICIENT_DATA"),
        ("ignore", "ALARM", "ALARM"),
    ],
)
def test_alarm_treats_missing_data_as_configured(treatment: str, before: str, after: str) -> None:
    assert evaluate(TreatMissingData=treatment, StateValue=before)["StateValue"] == after


@pytest.mark.parametrize(("required", "state"), [(None, "OK"), (2, "ALARM"), (3, "OK")])
def test_alarm_counts_breaching_periods(required: int | None, state: str) -> None:
    for minutes, value in enumerate([3, 0, 3]):
        record(value, minutes_ago=minutes + 0.5)
    assert evaluate(EvaluationPeriods=3, DatapointsToAlarm=required)["StateValue"] == state


@pytest.mark.parametrize(("statistic", "state"), [("Sum", "ALARM"), ("Average", "OK"), ("Minimum", "OK")])
def test_alarm_uses_its_statistic(statistic: str, state: str) -> None:
    record(0)
    record(2.5)
    assert evaluate(Statistic=statistic)["StateValue"] == state


@pytest.mark.parametrize(
    ("operator", "breaching"),
    [("LessThanThreshold", {1}), ("LessThanOrEqualToThreshold", {1, 2}), ("GreaterThanThreshold", {3})],
)
def test_alarm_uses_its_comparison_operator(operator: str, breaching: set[int]) -> None:
    for value in (1, 2, 3):
        cloudwatch.reset()
        record(value)
        assert (evaluate(ComparisonOperator=operator)["StateValue"] == "ALARM") == (value in breaching), value
