"""The nightly sweep in the deployed Cron stack, with IAM enforced."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.deployment import Deployment
from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually

KEY = "swept/my photo+ü.jpg"


@pytest.fixture
def photo(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """The item of a photo with its thumbnails made; removed afterwards."""
    s3, outputs = deployment.client("s3"), deployment.outputs["Thumbnails"]

    def item() -> dict[str, Any] | None:
        return next((item for item in deployment.table_items(outputs["CatalogueTable"]) if item["key"] == KEY), None)

    s3.upload_file(str(ROOT / "samples" / "rocket.jpg"), outputs["OriginalsBucket"], KEY)
    yield eventually(item)
    s3.delete_object(Bucket=outputs["OriginalsBucket"], Key=KEY)
    eventually(lambda: item() is None)


def _objects(deployment: Deployment) -> dict[str, datetime]:
    listed = deployment.client("s3").list_objects_v2(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"])
    return {entry["Key"]: entry["LastModified"] for entry in listed.get("Contents", [])}


def _report(deployment: Deployment) -> dict[str, Any]:
    key = f"reports/{datetime.now(UTC).date().isoformat()}.json"
    if key not in _objects(deployment):
        return {}
    bucket = deployment.outputs["Thumbnails"]["ThumbnailsBucket"]
    report: dict[str, Any] = json.load(deployment.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
    return report


@pytest.fixture(autouse=True)
def no_report(deployment: Deployment) -> None:
    """Begin without the report of an earlier test."""
    for key in _objects(deployment):
        if key.startswith("reports/"):
            deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)


def test_sweep_restores_missing_thumbnails(deployment: Deployment, photo: dict[str, Any]) -> None:
    lost = set(photo["thumbnails"].values())
    for key in lost:
        deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
    answer = deployment.client("lambda").invoke(FunctionName=deployment.outputs["Cron"]["SweepFunction"])
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert _report(deployment)["queued"] == 1
    eventually(lambda: lost <= _objects(deployment).keys())


def test_sweep_continues_in_another_run_when_time_runs_out(sandbox: Sandbox, photo: dict[str, Any]) -> None:
    function = sandbox.outputs["Cron"]["SweepFunction"]
    # Less than the function keeps in reserve: each run makes one step.
    sandbox.client("lambda").update_function_configuration(FunctionName=function, Timeout=60)
    try:
        sandbox.client("lambda").invoke(FunctionName=function, InvocationType="Event")
        report = eventually(lambda: _report(sandbox))
    finally:
        sandbox.client("lambda").update_function_configuration(FunctionName=function, Timeout=900)
    assert report["runs"] == 3
    assert report["photos"] >= 1


def test_schedule_starts_the_sweep(sandbox: Sandbox) -> None:
    scheduler = sandbox.client("scheduler")
    (summary,) = [
        entry
        for entry in scheduler.list_schedules()["Schedules"]
        if sandbox.outputs["Cron"]["SweepFunction"] in entry["Target"]["Arn"]
    ]
    schedule = scheduler.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
    assert schedule["ScheduleExpressionTimezone"] == "Etc/UTC"
    # The same target, now rather than at night.
    now = datetime.now(UTC) - timedelta(seconds=1)
    scheduler.create_schedule(
        Name="now",
        ScheduleExpression=f"at({now:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=schedule["Target"],
    )
    try:
        assert eventually(lambda: _report(sandbox))["runs"] == 1
    finally:
        scheduler.delete_schedule(Name="now")
