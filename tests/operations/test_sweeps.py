"""Dead letters of the sweep: what they say, and what is run again."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations import letters
from operations.letters import Mode
from operations.sweeps import Sweeps
from photos.sweep import Phase, Progress

DONE = Progress(datetime(2026, 11, 24, 4, tzinfo=UTC), phase=Phase.DONE).to_json()
UNDER_WAY = Progress(datetime(2026, 11, 24, 4, tzinfo=UTC), phase=Phase.THUMBNAILS, after="ab", runs=3).to_json()


def _failed(event: dict[str, Any]) -> str:
    """What Lambda leaves of an invocation that failed for good."""
    return json.dumps(
        {
            "requestContext": {"condition": "RetriesExhausted"},
            "requestPayload": event,
            "responsePayload": {"errorType": "ClientError", "errorMessage": "SlowDown"},
        }
    )


class Function:
    """Stands for Lambda: answers all invocations alike and remembers what they were given."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] = DONE
        self.error = False
        self.events: list[Any] = []

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # boto3's names
        self.events.append(json.loads(Payload))
        answer = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.error else {})


class Night:
    """A sweep, and its dead letters."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs")
        self.url = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.function = Function()
        self.operation = Sweeps(boto3.Session(), {"SweepFunction": "sweep", "DeadLetterQueueUrl": self.url})
        lambda_: Any = self.function
        self.operation._lambda = lambda_

    def letters(self) -> int:
        return len(self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []))


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.setattr(letters, "_WAIT_SECONDS", 0)
    with mock_aws():
        yield Night()


def test_goes_on_where_the_sweep_was(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.sqs.send_message(QueueUrl=night.url, MessageBody=_failed({"progress": UNDER_WAY}))
    assert night.operation.redrive(Mode.SEND) == (1, 0)
    assert night.function.events == [{"progress": UNDER_WAY}]
    said = capsys.readouterr().out
    assert "A sweep that had come to thumbnails, 'ab', 20" in said
    assert "It failed (RetriesExhausted). ClientError: SlowDown" in said
    assert "It is done: photos 0" in said
    assert night.letters() == 0


def test_one_run_answers_all_that_had_not_begun(night: Night) -> None:
    schedule: Any = {"ERROR_CODE": {"DataType": "String", "StringValue": "X"}}
    night.sqs.send_message(QueueUrl=night.url, MessageBody=_failed({}))
    night.sqs.send_message(QueueUrl=night.url, MessageBody="<not JSON>", MessageAttributes=schedule)
    event = json.dumps({"id": "1", "detail-type": "Scheduled Event", "source": "aws.scheduler"})
    night.sqs.send_message(QueueUrl=night.url, MessageBody=event, MessageAttributes=schedule)
    assert night.operation.redrive(Mode.SEND) == (3, 0)
    assert night.function.events == [{}]


def test_what_fails_again_stays_with_its_reason(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.function.error, night.function.answer = True, {"errorType": "ClientError", "errorMessage": "AccessDenied"}
    night.sqs.send_message(QueueUrl=night.url, MessageBody=_failed({}))
    assert night.operation.redrive(Mode.SEND) == (0, 1)
    assert "It failed again: ClientError: AccessDenied" in capsys.readouterr().out
    assert night.letters() == 1


def test_a_sweep_that_needs_another_run_goes_on_by_itself(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.function.answer = UNDER_WAY
    night.sqs.send_message(QueueUrl=night.url, MessageBody=_failed({}))
    assert night.operation.redrive(Mode.SEND) == (1, 0)
    assert "It goes on by itself, in run 3." in capsys.readouterr().out


def test_a_look_runs_nothing(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.sqs.send_message(QueueUrl=night.url, MessageBody=_failed({}))
    assert night.operation.redrive(Mode.LOOK) == (0, 1)
    assert "ClientError: SlowDown" in capsys.readouterr().out
    assert (night.function.events, night.letters()) == ([], 1)
