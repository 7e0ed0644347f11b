"""Monitoring stays in the free tier of CloudWatch: ten alarms, ten custom metrics, and three dashboards with at most 50
metrics each.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.cost.idle import idle_cost
from tests.templates import Resources, of_type, only, read_all_resources, read_resources, stack_names


@pytest.fixture(scope="module")
def resources(each_assembly: Path) -> Resources:
    return read_all_resources(each_assembly)


def _metrics(dashboard: dict[str, Any]) -> Iterator[Any]:
    """The entries in the graphs of a dashboard. Each is one metric."""
    body = dashboard["DashboardBody"]
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    text = "".join(part if isinstance(part, str) else json.dumps(part).replace('"', "'") for part in parts)
    for widget in json.loads(text)["widgets"]:
        yield from widget["properties"].get("metrics", [])


@pytest.mark.guarantee("Cheap when idle")
def test_app_has_at_most_ten_alarms_when_functions_make_thumbnails(each_assembly: Path) -> None:
    """The scaling of workers needs more, which `make cost` prices."""
    (alarms,) = [it.quantity for it in idle_cost(each_assembly).charges if it.item == "CloudWatch alarms"]
    assert alarms > 10 if "Workers" in stack_names(each_assembly) else 0 < alarms <= 10


@pytest.mark.guarantee("Cheap when idle")
def test_app_has_at_most_ten_custom_metrics_and_one_dashboard_with_fifty_metrics(resources: Resources) -> None:
    assert len(of_type(resources, "AWS::Logs::MetricFilter")) <= 10
    _, dashboard = only(resources, "AWS::CloudWatch::Dashboard")
    assert 0 < len(list(_metrics(dashboard))) <= 50


@pytest.mark.guarantee("Reports every failure")
def test_every_alarm_reaches_the_topic(each_assembly: Path, resources: Resources) -> None:
    """Except those that scale workers: they change state whenever photos are uploaded."""
    rules = of_type(read_resources(each_assembly, "Guardrails"), "AWS::Events::Rule").values()
    patterns = [rule["Properties"]["EventPattern"] for rule in rules]
    (pattern,) = [pattern for pattern in patterns if pattern["source"] == ["aws.cloudwatch"]]
    assert pattern["detail"] == {"state": {"value": ["ALARM"]}}
    alarms = [alarm["Properties"] for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()]
    alarms = [alarm for alarm in alarms if "AlarmActions" not in alarm]
    assert len(pattern["resources"]) == len(alarms)
    for alarm in alarms:
        assert alarm["TreatMissingData"] == "notBreaching"
        assert '"' not in alarm["AlarmDescription"]  # would break the quoted message for the topic
