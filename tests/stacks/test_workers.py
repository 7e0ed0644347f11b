"""The Workers stack: how many tasks it runs for which backlog, and what a worker is given."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.extension.metric_math import Expression
from tests.templates import Resources, of_type, only, read_resources

pytestmark = pytest.mark.parametrize("assembly", ["fargate", "ec2"], indirect=True)

_MINUTE = 60


class _Scaling:
    """The scaling of a template, as CloudWatch and Application Auto Scaling evaluate it."""

    def __init__(self, workers: Resources) -> None:
        self._workers = workers
        self.alarms = {name: it["Properties"] for name, it in of_type(workers, "AWS::CloudWatch::Alarm").items()}

    def work(self, visible: int, in_flight: int | None = None, age: float | None = None) -> float:
        """The metric for these values of the queue. None: SQS publishes no value."""
        metrics = [metric for alarm in self.alarms.values() for metric in alarm["Metrics"]]
        (expression,) = {metric["Expression"] for metric in metrics if "Expression" in metric}
        values = {"visible": visible, "in_flight": in_flight, "age": age}
        work = Expression(expression, values).evaluate(values)
        assert work is not None
        return work

    def tasks(self, work: float) -> int | None:
        """The number of tasks that the scaling policies set. None: no alarm is in ALARM."""
        for alarm in self.alarms.values():
            excess = work - alarm["Threshold"]
            above = alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
            if (excess >= 0) if above else (excess <= 0):
                return self._adjusted(alarm, excess, above=above)
        return None

    def _adjusted(self, alarm: dict[str, Any], excess: float, *, above: bool) -> int:
        (action,) = alarm["AlarmActions"]
        configuration = self._workers[action["Ref"]]["Properties"]["StepScalingPolicyConfiguration"]
        assert configuration["AdjustmentType"] == "ExactCapacity"
        for step in configuration["StepAdjustments"]:
            lower = step.get("MetricIntervalLowerBound", -math.inf)
            upper = step.get("MetricIntervalUpperBound", math.inf)
            # "StepAdjustment" in the API reference: which bound is inclusive depends on the side of the threshold.
            if (lower <= excess < upper) if above else (lower < excess <= upper):
                adjustment: int = step["ScalingAdjustment"]
                return adjustment
        raise AssertionError(f"no step for {excess}")


@pytest.fixture
def scaling(workers: Resources) -> _Scaling:
    return _Scaling(workers)


@pytest.mark.parametrize(
    ("messages", "tasks"), [(0, 0), (1, 1), (50, 1), (51, 2), (100, 2), (101, 3), (150, 3), (151, 4), (100_000, 4)]
)
def test_number_of_tasks_follows_the_number_of_messages(
    workers: Resources, scaling: _Scaling, messages: int, tasks: int
) -> None:
    _, target = only(workers, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert scaling.tasks(scaling.work(messages)) == min(tasks, target["MaxCapacity"])
    assert scaling.tasks(scaling.work(0, messages)) == min(tasks, target["MaxCapacity"])


@pytest.mark.parametrize(("seconds", "tasks"), [(0, 1), (119, 1), (120, 2), (240, 3), (360, 4), (86_400, 4)])
def test_number_of_tasks_grows_while_a_message_waits(
    workers: Resources, scaling: _Scaling, seconds: int, tasks: int
) -> None:
    _, target = only(workers, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert scaling.tasks(scaling.work(1, age=seconds)) == min(tasks, target["MaxCapacity"])


def test_message_in_progress_keeps_one_task_however_old_it_is(scaling: _Scaling) -> None:
    """A failed message is in flight until its next attempt. More tasks would not help it."""
    assert scaling.tasks(scaling.work(0, 1, age=86_400)) == 1


def test_first_message_starts_a_task_at_once_and_an_idle_queue_stops_it_after_minutes(scaling: _Scaling) -> None:
    periods = {
        alarm["ComparisonOperator"]: alarm["EvaluationPeriods"] * metric["MetricStat"]["Period"] / _MINUTE
        for alarm in scaling.alarms.values()
        for metric in alarm["Metrics"]
        if "MetricStat" in metric
    }
    assert periods["GreaterThanOrEqualToThreshold"] == 1
    assert 3 <= periods["LessThanOrEqualToThreshold"] <= 10


def test_missing_metrics_change_no_number_of_tasks(scaling: _Scaling) -> None:
    """SQS publishes the number of waiting messages whenever the queue is active, but sometimes late. Filled with 0, a
    late value would stop workers that have work."""
    for alarm in scaling.alarms.values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert "FILL(visible" not in json.dumps(alarm["Metrics"])


def test_scaling_reacts_every_minute(workers: Resources) -> None:
    """The default cooldown of ECS services is five minutes."""
    for policy in of_type(workers, "AWS::ApplicationAutoScaling::ScalingPolicy").values():
        assert policy["Properties"]["StepScalingPolicyConfiguration"]["Cooldown"] == _MINUTE


def test_scaling_watches_the_queue_of_the_worker(workers: Resources) -> None:
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    environment = {it["Name"]: json.dumps(it["Value"]) for it in task["ContainerDefinitions"][0]["Environment"]}
    queue = "Uploads4F6EB0FD"
    assert queue in environment["UPLOAD_QUEUE_URL"]
    for alarm in of_type(workers, "AWS::CloudWatch::Alarm").values():
        assert {queue in json.dumps(it) for it in alarm["Properties"]["Metrics"] if "MetricStat" in it} == {True}


def test_worker_has_the_variables_of_the_function(workers: Resources, synthesize: Callable[..., Path]) -> None:
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    (container,) = task["ContainerDefinitions"]
    names = {it["Name"] for it in container["Environment"]}
    function = read_resources(synthesize(), "Thumbnails")
    _, properties = only(function, "AWS::Lambda::Function", Handler="thumbnail.handler.handler")
    assert names == {*properties["Environment"]["Variables"], "AWS_DEFAULT_REGION"}


def test_workers_are_the_only_consumer_of_the_queue(assembly: Path) -> None:
    # The queue is in this stack, and so would be its event source mapping.
    thumbnails = read_resources(assembly, "Thumbnails").values()
    assert not [it for it in thumbnails if it["Type"] == "AWS::Lambda::EventSourceMapping"]
    assert not [it for it in thumbnails if it.get("Properties", {}).get("PackageType") == "Image"]
