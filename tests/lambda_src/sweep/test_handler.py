"""The sweep function: minds the clock, goes on in another invocation, tells the result."""

import importlib
import json
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import boto3
import pytest

from photos.event_ordering import Upload
from photos.keys import thumbnail_key
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg


class Context:
    """Lambda's context with this much time left."""

    function_name = "sweep-function"

    def __init__(self, seconds: int = 900) -> None:
        self._milliseconds = seconds * 1000

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


@pytest.fixture
def sweep(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler's module as Lambda loads it: its clients are made when it is imported."""
    monkeypatch.setenv("ORIGINALS_BUCKET", ORIGINALS)
    monkeypatch.setenv("THUMBNAILS_BUCKET", THUMBNAILS)
    monkeypatch.setenv("CATALOGUE_TABLE", CATALOGUE)
    monkeypatch.setenv("UPLOAD_QUEUE_URL", boto3.client("sqs").create_queue(QueueName="uploads")["QueueUrl"])
    import sweep.handler

    return importlib.reload(sweep.handler)


@pytest.fixture
def invoked(sweep: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The invocations that the function asked for."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(sweep._lambda, "invoke", lambda **arguments: calls.append(arguments))
    return calls


def test_writes_the_report_of_the_day(sweep: ModuleType, aws: MockedAws, invoked: list[dict[str, Any]]) -> None:
    aws.put("a.jpg", jpeg())
    sweep.handler({}, Context())
    (name,) = aws.thumbnails()
    assert name == f"reports/{datetime.now(UTC).date().isoformat()}.json"
    report = json.loads(aws.thumbnails()[name])
    assert (report["photos"], report["queued"], report["runs"]) == (1, 0, 1)
    assert report["started_at"] <= report["finished_at"]
    assert invoked == []


def test_emits_metrics_as_one_line_in_the_embedded_format(
    sweep: ModuleType, aws: MockedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.put("a.jpg", jpeg())
    sweep.handler({}, Context())
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["FunctionName"] == "sweep-function"
    assert {"photos", "queued", "removed_items"} <= {metric["Name"] for metric in directive["Metrics"]}
    assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])
    assert len(directive["Metrics"]) <= 10, "CloudWatch's free tier"
    assert abs(line["_aws"]["Timestamp"] / 1000 - datetime.now(UTC).timestamp()) < 60


def test_without_time_it_invokes_itself_until_it_is_done(
    sweep: ModuleType, aws: MockedAws, invoked: list[dict[str, Any]]
) -> None:
    for number in range(450):
        aws.put(f"{number}.jpg", b"x")
    event: dict[str, Any] = {}
    for _ in range(20):
        invoked.clear()
        progress = sweep.handler(event, Context(seconds=1))
        if not invoked:
            break
        assert aws.thumbnails() == {}, "no report before the end"
        (call,) = invoked
        assert (call["FunctionName"], call["InvocationType"]) == ("sweep-function", "Event")
        event = json.loads(call["Payload"])
    assert (progress["phase"], progress["counts"]["photos"], progress["runs"]) == ("done", 450, 5)
    assert len(aws.thumbnails()) == 1


def test_a_run_tried_again_goes_on_from_where_it_began(
    sweep: ModuleType, aws: MockedAws, invoked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.put("a.jpg", b"x")
    first = {"progress": sweep.handler({}, Context(seconds=1))}
    assert first["progress"]["phase"] == "thumbnails"
    answers = [sweep.handler(json.loads(json.dumps(first)), Context()) for _ in range(2)]
    assert answers[0]["counts"] == answers[1]["counts"]
    assert answers[0]["counts"]["photos"] == 1


def test_a_fault_leaves_as_it_is_so_that_lambda_tries_again(
    sweep: ModuleType, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.put("a.jpg", jpeg())
    aws.s3.put_object(Bucket=THUMBNAILS, Key=thumbnail_key("a.jpg", Upload("e", "1"), 256), Body=b"")
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        sweep.handler({}, Context())
    assert not any(key.startswith("reports/") for key in aws.thumbnails())
