"""The sweep function: resumes in another invocation when it is out of time, and publishes the result."""

import json
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import boto3
import pytest

from photos.event_ordering import Upload
from photos.keys import thumbnail_key
from photos.limits import SIZES
from tests.lambda_src.mocked_aws import CATALOGUE, LambdaContext, MockedAws, jpeg, load_function

NO_TIME = LambdaContext(seconds=1)


@pytest.fixture
def queue(aws: MockedAws) -> str:
    return boto3.client("sqs").create_queue(QueueName="uploads")["QueueUrl"]


@pytest.fixture
def sweep(queue: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load_function(monkeypatch, "sweep", UPLOAD_QUEUE_URL=queue)


@pytest.fixture
def invocations(sweep: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The invocations that the function requested."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(sweep._lambda, "invoke", lambda **arguments: calls.append(arguments))
    return calls


def test_sweep_writes_a_daily_report_and_emits_metrics(
    sweep: ModuleType, aws: MockedAws, invocations: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.put("a.jpg", jpeg())
    sweep.handler({}, LambdaContext())
    (name,) = aws.thumbnails()
    assert name == f"reports/{datetime.now(UTC).date().isoformat()}.json"
    report = json.loads(aws.thumbnails()[name])
    assert (report["photos"], report["queued"], report["runs"]) == (1, 0, 1)
    assert report["started_at"] <= report["finished_at"]
    assert invocations == []
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["FunctionName"] == LambdaContext.function_name
    assert {"photos", "queued", "removed_items"} <= {metric["Name"] for metric in directive["Metrics"]}
    assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])
    assert len(directive["Metrics"]) <= 10, "the free tier of CloudWatch"
    assert abs(line["_aws"]["Timestamp"] / 1000 - datetime.now(UTC).timestamp()) < 60


def test_sweep_invokes_itself_until_it_is_done(
    sweep: ModuleType, aws: MockedAws, invocations: list[dict[str, Any]]
) -> None:
    for number in range(450):
        aws.put(f"{number}.jpg", b"x")
    event: dict[str, Any] = {}
    for _ in range(20):
        invocations.clear()
        progress = sweep.handler(event, NO_TIME)
        if not invocations:
            break
        assert aws.thumbnails() == {}, "no report before the end"
        (call,) = invocations
        assert (call["FunctionName"], call["InvocationType"]) == (LambdaContext.function_name, "Event")
        event = json.loads(call["Payload"])
    assert (progress["phase"], progress["counts"]["photos"], progress["runs"]) == ("done", 450, 5)
    assert len(aws.thumbnails()) == 1


def test_retried_run_resumes_where_it_started(
    sweep: ModuleType, aws: MockedAws, invocations: list[dict[str, Any]]
) -> None:
    aws.put("a.jpg", b"x")
    first = {"progress": sweep.handler({}, NO_TIME)}
    assert first["progress"]["phase"] == "thumbnails"
    results = [sweep.handler(json.loads(json.dumps(first)), LambdaContext()) for _ in range(2)]
    assert results[0]["counts"] == results[1]["counts"]
    assert results[0]["counts"]["photos"] == 1


def test_error_propagates_so_that_lambda_retries(sweep: ModuleType, aws: MockedAws) -> None:
    aws.thumbnail_bucket.write(thumbnail_key("a.jpg", Upload("e", "1"), SIZES[0]), b"")
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        sweep.handler({}, LambdaContext())
    assert not any(key.startswith("reports/") for key in aws.thumbnails())
