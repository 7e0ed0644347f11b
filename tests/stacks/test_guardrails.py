"""The Guardrails and Budget stacks: recipients and publishers. `tests/e2e/test_guardrails.py` sends alerts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.templates import Resources, actions, of_type, only, read_resources, read_template, statements

_TOPIC = "AWS::SNS::Topic"


def _publishers(resources: Resources) -> dict[str, Any]:
    """The services that the topic policy allows to publish, with their conditions."""
    _, policy = only(resources, "AWS::SNS::TopicPolicy")
    allowed = [it for it in policy["PolicyDocument"]["Statement"] if it["Effect"] == "Allow"]
    return {it["Principal"]["Service"]: it["Condition"] for it in allowed}


def _subscribers(assembly: Path) -> list[Any]:
    """The subscribers of each notification of the budget."""
    _, budget = only(read_resources(assembly, "Budget"), "AWS::Budgets::Budget")
    return [notification["Subscribers"] for notification in budget["NotificationsWithSubscribers"]]


def test_budget_alerts_at_80_percent_and_when_the_forecast_exceeds_it(assembly: Path) -> None:
    _, budget = only(read_resources(assembly, "Budget"), "AWS::Budgets::Budget")
    notifications = [it["Notification"] for it in budget["NotificationsWithSubscribers"]]
    alerts = {(it["NotificationType"], it["ThresholdType"], it["Threshold"]) for it in notifications}
    assert alerts == {("ACTUAL", "PERCENTAGE", 80), ("FORECASTED", "PERCENTAGE", 100)}
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 20, "Unit": "USD"}


def test_alert_email_receives_budget_alerts_and_subscribes_to_the_topic(synthesize: Callable[..., Path]) -> None:
    assembly = synthesize(alert_email="me@example.com")
    resources = read_resources(assembly, "Guardrails")
    _, subscription = only(resources, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")
    assert _subscribers(assembly) == [[{"SubscriptionType": "EMAIL", "Address": "me@example.com"}]] * 2
    assert _publishers(resources) == {}


def test_topic_receives_budget_alerts_without_alert_email(assembly: Path, guardrails: Resources) -> None:
    topic, _ = only(guardrails, _TOPIC)
    assert not [name for name, it in guardrails.items() if it["Type"] == "AWS::SNS::Subscription"]
    for (subscriber,) in _subscribers(assembly):
        assert subscriber["SubscriptionType"] == "SNS"
        output = subscriber["Address"]["Fn::GetStackOutput"]["OutputName"]
        assert read_template(assembly, "Guardrails")["Outputs"][output]["Value"] == {"Ref": topic}
    assert _publishers(guardrails) == {
        "budgets.amazonaws.com": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


@pytest.mark.guarantee("Least privilege")
def test_rules_publish_with_a_role_that_allows_only_publishing(guardrails: Resources) -> None:
    topic, _ = only(guardrails, _TOPIC)
    (statement,) = statements(guardrails)
    assert (actions([statement]), statement["Resource"]) == ({"sns:Publish"}, {"Ref": topic})
    for rule in of_type(guardrails, "AWS::Events::Rule").values():
        assert [target["Arn"] for target in rule["Properties"]["Targets"]] == [{"Ref": topic}]


def test_alert_for_a_blocked_album_covers_both_queues(guardrails: Resources) -> None:
    """The event follows "Job queue blocked events" in the Batch guide. The emulator does not send it."""
    rules = of_type(guardrails, "AWS::Events::Rule").values()
    (rule,) = [it["Properties"] for it in rules if "Batch Job Queue Blocked" in str(it["Properties"]["EventPattern"])]
    assert rule["EventPattern"]["source"] == ["aws.batch"]
    pages, bindings = map(json.dumps, rule["EventPattern"]["detail"]["jobQueue"])
    assert "FargateQueue" in bindings
    assert "Queue" in pages and "FargateQueue" not in pages
    paths = set(rule["Targets"][0]["InputTransformer"]["InputPathsMap"].values())
    assert paths == {"$.detail.jobName", "$.detail.statusReason"}


def test_dashboard_covers_every_service(guardrails: Resources) -> None:
    _, dashboard = only(guardrails, "AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard)
    for heading in ("Thumbnails", "API", "Gallery", "Albums", "Sweep", "Website"):
        assert f"## {heading}" in body
    for metric in ("Invocations", "ApproximateAgeOfOldestMessage", "5XXError", "TargetResponseTime", "CPUUtilization"):
        assert metric in body
