"""The Guardrails stack: the budget, who receives alerts, and the dashboard."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template
from aws_cdk.aws_events import EventPattern

from stacks.constructs.monitoring import FailureEvent, Graph, Monitoring, event_fields
from stacks.guardrails import GuardrailsStack
from tests.templates import Resources, of_type, only, read_resources, stack_names


def _resources(alert_email: str | None = None) -> Resources:
    app = App()
    service = Stack(app, "Service")
    metric = cloudwatch.Metric(namespace="Service", metric_name="Faults")
    alarm = metric.create_alarm(service, "Alarm", threshold=1, evaluation_periods=1)
    (reason,) = event_fields("reason")
    failure = FailureEvent("JobFailed", "A job failed", EventPattern(source=["aws.jobs"]), f"Reason: {reason}")
    stack = GuardrailsStack(
        app,
        "Guardrails",
        monitoring=[
            Monitoring("Service", [Graph("Faults", [metric])], [alarm]),
            Monitoring("Other", [Graph("All", [metric])], note="See elsewhere."),
            Monitoring("Jobs", failure_events=[failure], log=logs.LogGroup(service, "Log")),
        ],
        monthly_budget_usd=35,
        alert_email=alert_email,
    )
    resources: Resources = Template.from_stack(stack).to_json()["Resources"]
    return resources


@pytest.fixture(scope="module")
def without_email() -> Resources:
    return _resources()


@pytest.fixture(scope="module")
def with_email() -> Resources:
    return _resources("me@example.com")


def _publishers(resources: Resources) -> dict[str, Any]:
    """The services that the topic policy allows to publish, with their conditions."""
    _, policy = only(resources, "AWS::SNS::TopicPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    return {it["Principal"]["Service"]: it["Condition"] for it in statements if it["Effect"] == "Allow"}


def _rule(resources: Resources, source: str) -> dict[str, Any]:
    rules = [rule["Properties"] for rule in of_type(resources, "AWS::Events::Rule").values()]
    (rule,) = (rule for rule in rules if rule["EventPattern"]["source"] == [source])
    return dict(rule)


def test_budget_alerts_at_80_percent_actual_and_100_percent_forecasted_cost(without_email: Resources) -> None:
    _, budget = only(without_email, "AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 35, "Unit": "USD"}
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    notifications = [it["Notification"] for it in budget["NotificationsWithSubscribers"]]
    assert [(it["NotificationType"], it["Threshold"], it["ThresholdType"]) for it in notifications] == [
        ("ACTUAL", 80, "PERCENTAGE"),
        ("FORECASTED", 100, "PERCENTAGE"),
    ]


def test_alert_email_receives_budget_alerts_and_subscribes_to_the_topic(with_email: Resources) -> None:
    _, subscription = only(with_email, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")
    _, budget = only(with_email, "AWS::Budgets::Budget")
    for notification in budget["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "me@example.com"}]
    assert _publishers(with_email) == {}


def test_topic_receives_budget_alerts_without_alert_email(without_email: Resources) -> None:
    topic, _ = only(without_email, "AWS::SNS::Topic")
    assert not [name for name, it in without_email.items() if it["Type"] == "AWS::SNS::Subscription"]
    (budget,) = of_type(without_email, "AWS::Budgets::Budget").values()
    for notification in budget["Properties"]["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": topic}}]
    assert set(budget["DependsOn"]) & of_type(without_email, "AWS::SNS::TopicPolicy").keys()
    assert _publishers(without_email) == {
        "budgets.amazonaws.com": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


@pytest.mark.guarantee("Least privilege")
def test_rules_publish_with_a_role_that_allows_only_publishing(without_email: Resources) -> None:
    topic, _ = only(without_email, "AWS::SNS::Topic")
    role, _ = only(without_email, "AWS::IAM::Role")
    _, policy = only(without_email, "AWS::IAM::Policy")
    assert policy["Roles"] == [{"Ref": role}]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sns:Publish")
    assert statement["Resource"] == {"Ref": topic}
    for source in ("aws.jobs", "aws.cloudwatch"):
        (target,) = _rule(without_email, source)["Targets"]
        assert target["Arn"] == {"Ref": topic}
        assert target["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_failure_event_sends_its_message_with_fields_of_the_event(without_email: Resources) -> None:
    (target,) = _rule(without_email, "aws.jobs")["Targets"]
    assert target["InputTransformer"]["InputTemplate"] == '"Reason: <detail-reason>"'


def test_alarm_message_contains_name_description_and_reason(without_email: Resources) -> None:
    rule = _rule(without_email, "aws.cloudwatch")
    assert rule["EventPattern"]["detail"] == {"state": {"value": ["ALARM"]}}
    assert len(rule["EventPattern"]["resources"]) == 1
    paths = set(rule["Targets"][0]["InputTransformer"]["InputPathsMap"].values())
    assert paths == {"$.detail.alarmName", "$.detail.configuration.description", "$.detail.state.reason"}


def test_dashboard_shows_alarms_then_each_service_with_its_graphs_or_log(without_email: Resources) -> None:
    _, dashboard = only(without_email, "AWS::CloudWatch::Dashboard")
    parts = dashboard["DashboardBody"]["Fn::Join"][1]
    widgets = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))["widgets"]
    titles = [it["properties"].get("title") or it["properties"]["markdown"] for it in widgets]
    services = ["## Service", "Faults", "## Other\nSee elsewhere.", "All", "## Jobs"]
    assert titles[1:-1] == services
    assert [widgets[0]["type"], widgets[-1]["type"]] == ["alarm", "log"]
    assert widgets[-1]["properties"]["query"].startswith("SOURCE 'token' | fields @timestamp, @message")


# The stacks that run something, and their headings on the dashboard.
_HEADINGS = {
    "Thumbnails": "Thumbnails",
    "Api": "API",
    "Ecs": "Gallery",
    "Batch": "Albums",
    "Cron": "Sweep",
    "Lightsail": "Website",
}


def test_dashboard_of_the_app_covers_every_service(assembly: Path) -> None:
    _, dashboard = only(read_resources(assembly, "Guardrails"), "AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard)
    assert _HEADINGS.keys() == {*stack_names(assembly)} - {"Network", "Registry", "Guardrails"}
    for heading in _HEADINGS.values():
        assert f"## {heading}" in body
    for metric in ("Invocations", "ApproximateAgeOfOldestMessage", "5XXError", "TargetResponseTime", "CPUUtilization"):
        assert metric in body


def test_alert_for_a_blocked_album_covers_both_queues(assembly: Path) -> None:
    """The event follows "Job queue blocked events" in the Batch guide. The emulator does not send it."""
    rules = of_type(read_resources(assembly, "Guardrails"), "AWS::Events::Rule").values()
    (rule,) = [it["Properties"] for it in rules if "Batch Job Queue Blocked" in str(it["Properties"]["EventPattern"])]
    assert rule["EventPattern"]["source"] == ["aws.batch"]
    pages, bindings = map(json.dumps, rule["EventPattern"]["detail"]["jobQueue"])
    assert "FargateQueue" in bindings
    assert "Queue" in pages and "FargateQueue" not in pages
    paths = set(rule["Targets"][0]["InputTransformer"]["InputPathsMap"].values())
    assert paths == {"$.detail.jobName", "$.detail.statusReason"}
