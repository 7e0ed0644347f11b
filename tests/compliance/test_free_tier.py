"""Watching costs nothing: ten alarms, three dashboards of at most fifty metrics (CloudWatch's free tier)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Scaling to a target makes alarms of its own, one to grow and one to shrink, which count as well.
_ALARMS = {"AWS::CloudWatch::Alarm": 1, "AWS::CloudWatch::CompositeAlarm": 1}


@pytest.fixture(scope="module")
def resources(assembly: Path) -> list[dict[str, Any]]:
    """Every resource of every stack."""
    return [
        resource
        for file in assembly.glob("*.template.json")
        for resource in json.loads(file.read_text()).get("Resources", {}).values()
    ]


def _alarms(resource: dict[str, Any]) -> int:
    text = json.dumps(resource.get("Properties", {}))
    scales = "TargetTrackingScalingPolicyConfiguration" in text or "TargetTrackingConfiguration" in text
    managed = resource["Type"] == "AWS::ECS::CapacityProvider" and '"ManagedScaling"' in text and "ENABLED" in text
    return _ALARMS.get(resource["Type"], 2 if scales or managed else 0)


def _metrics(dashboard: dict[str, Any]) -> Iterator[Any]:
    """What the graphs of a dashboard show: each entry is one metric."""
    body = dashboard["Properties"]["DashboardBody"]
    parts = body["Fn::Join"][1] if isinstance(body, dict) else [body]
    text = "".join(part if isinstance(part, str) else json.dumps(part).replace('"', "'") for part in parts)
    for widget in json.loads(text)["widgets"]:
        yield from widget["properties"].get("metrics", [])


def test_at_most_ten_alarms(resources: list[dict[str, Any]]) -> None:
    assert 0 < sum(map(_alarms, resources)) <= 10


def test_at_most_three_dashboards_of_fifty_metrics(resources: list[dict[str, Any]]) -> None:
    dashboards = [resource for resource in resources if resource["Type"] == "AWS::CloudWatch::Dashboard"]
    assert 0 < len(dashboards) <= 3
    for dashboard in dashboards:
        assert 0 < len(list(_metrics(dashboard))) <= 50


def test_every_alarm_says_what_to_do(resources: list[dict[str, Any]]) -> None:
    for resource in resources:
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            description = resource["Properties"]["AlarmDescription"]
            assert "See " in description or "run " in description.lower(), description
            # It is put into a text in quotes on its way to the topic.
            assert '"' not in description


def test_every_alarm_reaches_the_topic(assembly: Path, resources: list[dict[str, Any]]) -> None:
    (rule,) = [
        resource["Properties"]
        for resource in json.loads((assembly / "Guardrails.template.json").read_text())["Resources"].values()
        if resource["Type"] == "AWS::Events::Rule"
        and resource["Properties"]["EventPattern"]["source"] == ["aws.cloudwatch"]
    ]
    alarms = [resource for resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"]
    assert len(rule["EventPattern"]["resources"]) == len(alarms)
