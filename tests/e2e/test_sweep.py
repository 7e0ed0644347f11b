"""The nightly sweep. The emulator enforces IAM."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.deployment import Deployment
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.photos import delete_originals, final_item, put_original, read_object, thumbnails

KEY = "swept/my photo+ü.jpg"


@pytest.fixture
def photo(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """The catalogue item of a photo that is ready."""
    put_original(deployment, KEY)
    yield final_item(deployment, KEY)
    delete_originals(deployment, KEY)


@pytest.fixture(autouse=True)
def no_report(deployment: Deployment) -> None:
    """Delete reports of earlier tests."""
    for key in thumbnails(deployment, "reports/"):
        deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)


def _report(deployment: Deployment) -> dict[str, Any]:
    """Return today's report, or an empty dict if there is none."""
    key = f"reports/{datetime.now(UTC).date().isoformat()}.json"
    return json.loads(read_object(deployment, key)) if thumbnails(deployment, key) else {}


def test_sweep_restores_missing_thumbnails(deployment: Deployment, photo: dict[str, Any]) -> None:
    missing = set(photo["thumbnails"].values())
    for key in missing:
        deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
    response = deployment.client("lambda").invoke(FunctionName=deployment.outputs["Cron"]["SweepFunction"])
    assert "FunctionError" not in response, response["Payload"].read()
    assert _report(deployment)["queued"] == 1
    eventually(lambda: missing <= set(thumbnails(deployment)))


def test_sweep_continues_in_another_run_when_time_runs_out(sandbox: Sandbox, photo: dict[str, Any]) -> None:
    function = sandbox.outputs["Cron"]["SweepFunction"]
    # The timeout is shorter than the reserve of the function, so that every run takes one step.
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
    # Schedule the same target for now.
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
