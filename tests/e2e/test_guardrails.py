"""Alerts and the dashboard of the deployed Guardrails stack. `test_alarms.py` raises alarms."""

import json

from local.sandbox import Sandbox
from tests.e2e.eventually import eventually


def _messages(sandbox: Sandbox, inbox: str, seconds: int) -> list[str]:
    """Return the messages that arrive within this time; long polling ends with the first."""
    response = sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=seconds, MaxNumberOfMessages=10)
    return [message["Body"] for message in response.get("Messages", [])]


def test_unrelated_alarm_is_not_published(sandbox: Sandbox, inbox: str) -> None:
    cloudwatch, name = sandbox.client("cloudwatch"), "other-compute-unrelated"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Unrelated",
        MetricName="Faults",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    try:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
        assert _messages(sandbox, inbox, seconds=1) == []
    finally:
        cloudwatch.delete_alarms(AlarmNames=[name])


def test_failed_album_is_published_once(sandbox: Sandbox, inbox: str) -> None:
    outputs, batch = sandbox.outputs["Batch"], sandbox.client("batch")
    pages = batch.submit_job(
        jobName="pages",
        jobQueue=outputs["JobQueue"],
        jobDefinition=outputs["AlbumJobDefinition"],
        arrayProperties={"size": 2},
        parameters={"album": "unknown"},
    )
    batch.submit_job(
        jobName="bound",
        jobQueue=outputs["BindJobQueue"],
        jobDefinition=outputs["BindJobDefinition"],
        dependsOn=[{"jobId": pages["jobId"]}],
        parameters={"album": "unknown"},
    )
    (message,) = eventually(lambda: _messages(sandbox, inbox, seconds=20))
    assert "bound failed (Dependent Job failed)" in message
    assert _messages(sandbox, inbox, seconds=1) == []


def test_dashboard_shows_existing_functions(sandbox: Sandbox) -> None:
    cloudwatch = sandbox.client("cloudwatch")
    body = cloudwatch.get_dashboard(DashboardName="other-compute-Guardrails")["DashboardBody"]
    metrics = [metric for widget in json.loads(body)["widgets"] for metric in widget["properties"].get("metrics", [])]
    functions = {it["FunctionName"] for it in sandbox.client("lambda").list_functions()["Functions"]}
    shown = {metric[3] for metric in metrics if metric[2] == "FunctionName"}
    assert shown
    assert shown <= functions
