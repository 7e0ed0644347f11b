"""The Guardrails stack: who is told of what, and what a dashboard shows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template

from stacks.constructs.monitoring import FailureEvent, Graph, Monitoring
from stacks.guardrails import GuardrailsStack


def _template(alert_email: str | None = None, monthly_budget_usd: float = 20) -> Template:
    app = App()
    service = Stack(app, "Service")
    metric = cloudwatch.Metric(namespace="Service", metric_name="Faults")
    alarm = metric.create_alarm(service, "Alarm", threshold=1, evaluation_periods=1)
    ended = events.EventField.from_path("$.detail.reason")
    failure = FailureEvent("JobFailed", "A job failed", events.EventPattern(source=["aws.jobs"]), f"Look why: {ended}")
    stack = GuardrailsStack(
        app,
        "Guardrails",
        monitoring=[
            Monitoring("Service", [Graph("Faults", [metric])], [alarm]),
            Monitoring("Other", [Graph("All", [metric])], note="More of it is elsewhere."),
            Monitoring("Jobs", failure_events=[failure], log=logs.LogGroup(service, "Log")),
        ],
        monthly_budget_usd=monthly_budget_usd,
        alert_email=alert_email,
    )
    return Template.from_stack(stack)


def _only(template: Template, resource_type: str) -> dict[str, Any]:
    (resource,) = template.find_resources(resource_type).values()
    properties: dict[str, Any] = resource["Properties"]
    return properties


def _publishers(template: Template) -> dict[str, Any]:
    """Who may publish, and on what condition."""
    return {
        statement["Principal"]["Service"]: statement["Condition"]
        for statement in _only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }


def test_warns_of_80_percent_spent_and_of_100_percent_foreseen() -> None:
    budget = _only(_template(monthly_budget_usd=35), "AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 35, "Unit": "USD"}
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    notifications = [it["Notification"] for it in budget["NotificationsWithSubscribers"]]
    assert [(it["NotificationType"], it["Threshold"], it["ThresholdType"]) for it in notifications] == [
        ("ACTUAL", 80, "PERCENTAGE"),
        ("FORECASTED", 100, "PERCENTAGE"),
    ]


def test_with_an_address_both_go_there() -> None:
    template = _template("me@example.com")
    subscription = _only(template, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")
    for notification in _only(template, "AWS::Budgets::Budget")["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "me@example.com"}]
    assert _publishers(template) == {}


def test_without_one_both_go_to_the_topic() -> None:
    template = _template()
    (topic,) = template.find_resources("AWS::SNS::Topic")
    template.resource_count_is("AWS::SNS::Subscription", 0)
    for notification in _only(template, "AWS::Budgets::Budget")["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": topic}}]


def test_the_budget_waits_for_the_policy_that_lets_it_publish() -> None:
    template = _template()
    (budget,) = template.find_resources("AWS::Budgets::Budget").values()
    assert set(budget["DependsOn"]) & template.find_resources("AWS::SNS::TopicPolicy").keys()


def test_only_this_rule_and_this_accounts_budgets_may_publish() -> None:
    template = _template()
    assert _publishers(template) == {
        "budgets.amazonaws.com": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    (topic,) = template.find_resources("AWS::SNS::Topic")
    (role,) = template.find_resources("AWS::IAM::Role")
    policy = _only(template, "AWS::IAM::Policy")
    assert policy["Roles"] == [{"Ref": role}]
    (allowed,) = policy["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], allowed["Action"], allowed["Resource"]) == ("Allow", "sns:Publish", {"Ref": topic})


def _rule(template: Template, source: str) -> dict[str, Any]:
    rules: list[dict[str, Any]] = [it["Properties"] for it in template.find_resources("AWS::Events::Rule").values()]
    (rule,) = (it for it in rules if it["EventPattern"]["source"] == [source])
    return rule


def test_a_failure_that_is_told_by_an_event_reaches_the_same_topic() -> None:
    template = _template()
    (topic,) = template.find_resources("AWS::SNS::Topic")
    (target,) = _rule(template, "aws.jobs")["Targets"]
    assert target["Arn"] == {"Ref": topic}
    assert target["RoleArn"] == _rule(template, "aws.cloudwatch")["Targets"][0]["RoleArn"]
    assert target["InputTransformer"]["InputTemplate"] == '"Look why: <detail-reason>"'


def test_a_raised_alarm_says_what_to_do_and_why() -> None:
    rule = _rule(_template(), "aws.cloudwatch")
    assert rule["EventPattern"]["detail"] == {"state": {"value": ["ALARM"]}}
    assert len(rule["EventPattern"]["resources"]) == 1
    text = rule["Targets"][0]["InputTransformer"]["InputTemplate"]
    for part in ("detail-alarmName", "detail-configuration-description", "detail-state-reason"):
        assert f"<{part}>" in text


def test_the_dashboard_shows_each_service_and_its_graphs_in_order() -> None:
    parts = _only(_template(), "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    titles = [it["properties"].get("title") or it["properties"]["markdown"] for it in body["widgets"]]
    other = "## Other\nMore of it is elsewhere."
    assert titles == ["Alarms", "## Service", "Faults", other, "All", "## Jobs", "Latest log lines"]
    (log,) = (it["properties"] for it in body["widgets"] if it["type"] == "log")
    assert log["query"] == "SOURCE 'token' | fields @timestamp, @message\n| sort @timestamp desc\n| limit 20"


# What runs something of ours, and what the dashboard calls it.
_HEADINGS = {
    "Thumbnails": "Thumbnails",
    "Api": "API",
    "Ecs": "Gallery",
    "Batch": "Albums",
    "Cron": "Sweep",
    "Lightsail": "Website",
}


def test_the_dashboard_is_over_all_services(assembly: Path, template: Callable[[str], Template]) -> None:
    body = json.dumps(_only(template("Guardrails"), "AWS::CloudWatch::Dashboard"))
    stacks = {file.name.partition(".")[0] for file in assembly.glob("*.template.json")}
    at_rest = {"Network", "Registry", "Guardrails"}  # what runs for Registry, runs for a deployment, which tells of it
    assert _HEADINGS.keys() == stacks - at_rest
    for heading in _HEADINGS.values():
        assert f"## {heading}" in body


def test_the_app_watches_its_services(template: Callable[[str], Template]) -> None:
    body = json.dumps(_only(template("Guardrails"), "AWS::CloudWatch::Dashboard"))
    for name in ("## Thumbnails", "## Sweep", "Invocations", "ApproximateAgeOfOldestMessage", "DeadLettersAlarm"):
        assert name in body
    for name in ("## API", "5XXError", "FaultsAlarm", "## Gallery", "TargetResponseTime", "CPUUtilization", "## Sweep"):
        assert name in body


def test_an_album_that_waits_in_either_queue_is_told(template: Callable[[str], Template]) -> None:
    """The event as the Batch guide has it ("Job queue blocked events"); the sandbox has no such event."""
    rules = template("Guardrails").find_resources("AWS::Events::Rule").values()
    (rule,) = [it["Properties"] for it in rules if "Blocked" in str(it["Properties"]["EventPattern"])]
    assert (rule["EventPattern"]["source"], rule["EventPattern"]["detail-type"]) == (
        ["aws.batch"],
        ["Batch Job Queue Blocked"],
    )
    pages, bindings = map(json.dumps, rule["EventPattern"]["detail"]["jobQueue"])
    assert "FargateQueue" in bindings
    assert "Queue" in pages and "FargateQueue" not in pages
    (target,) = rule["Targets"]
    paths = set(target["InputTransformer"]["InputPathsMap"].values())
    assert paths == {"$.detail.jobName", "$.detail.statusReason"}


@pytest.mark.parametrize("stack", ["Thumbnails", "Api", "Ecs", "Batch", "Cron"])
def test_what_is_watched_needs_no_guardrails(assembly: Any, stack: str) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    assert "Guardrails" not in artifacts[stack].get("dependencies", [])
    assert stack in artifacts["Guardrails"]["dependencies"]
