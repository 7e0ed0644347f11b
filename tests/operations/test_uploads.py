"""Dead letters of uploads: what is sent again, what is left, and what is said of each."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from operations import letters, uploads
from operations.letters import DeadLetters, Mode
from operations.uploads import Uploads, describe

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

EVENT = '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a+b.jpg"}}}]}'


class Log:
    """What the function says: of all that is sent to it, the same."""

    def __init__(self) -> None:
        self.failures: dict[str, str] = {}
        self.look: Callable[[], dict[str, str]] = dict

    def failed(self, _since: datetime) -> dict[str, str]:
        return self.failures

    def done(self, _since: datetime) -> dict[str, str]:
        return self.look()


class Queues:
    """An upload queue with its dead letters."""

    def __init__(self, sqs: "SQSClient") -> None:
        self.sqs = sqs
        self.uploads, self.dead = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("uploads", "dead"))
        self.log = Log()
        log: Any = self.log
        self.operation = Uploads(sqs, self.uploads, DeadLetters(sqs, self.dead), log, timedelta(seconds=20))

    def die(self, body: str) -> str:
        """A letter. Returns its id."""
        return self.sqs.send_message(QueueUrl=self.dead, MessageBody=body)["MessageId"]

    def take_from(self, url: str) -> list[Any]:
        received = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        messages = list(received.get("Messages", []))
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def handled(self) -> dict[str, str]:
        """The function makes thumbnails of all that is in the queue."""
        return {message["MessageId"]: "ready, 'a b.jpg'" for message in self.take_from(self.uploads)}


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queues]:
    monkeypatch.setattr(uploads, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(letters, "_WAIT_SECONDS", 0)
    with mock_aws():
        yield Queues(boto3.client("sqs"))


def test_nothing_is_dead(queues: Queues) -> None:
    assert queues.operation.redrive(Mode.SEND) == (0, 0)


def test_a_letter_is_shown_with_its_reason_sent_and_followed(
    queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.log.failures = {queues.die(EVENT): "ClientError: SlowDown"}
    queues.log.look = queues.handled
    assert queues.operation.redrive(Mode.SEND) == (1, 0)
    said = capsys.readouterr().out
    assert "ObjectCreated:Put of 'a b.jpg', sent 20" in said
    assert "ClientError: SlowDown" in said
    assert "ObjectCreated:Put of 'a b.jpg': ready" in said
    assert queues.take_from(queues.dead) == []


def test_what_no_log_tells_of_is_done_when_the_queue_is_empty(
    queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    queues.die(EVENT)

    def handled_without_a_word() -> dict[str, str]:
        queues.handled()
        return {}

    queues.log.look = handled_without_a_word
    assert queues.operation.redrive(Mode.SEND) == (1, 0)
    assert "done, as the queue is empty; the log says no more" in capsys.readouterr().out


def test_what_is_never_handled_is_told_when_patience_ends(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    queues.die(EVENT)
    queues.operation._patience = timedelta(seconds=1)
    assert queues.operation.redrive(Mode.SEND) == (1, 1)
    assert "nothing is known yet, it is still in work" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mode", "result", "left"),
    [(Mode.LOOK, (0, 1), 1), (Mode.SEND, (0, 1), 1), (Mode.AGAIN, (1, 0), 0), (Mode.DISCARD, (0, 0), 0)],
)
def test_what_came_back_is_not_sent_in_a_circle(
    queues: Queues, capsys: pytest.CaptureFixture[str], mode: Mode, result: tuple[int, int], left: int
) -> None:
    mark: Any = {"redriven": {"DataType": "String", "StringValue": "yes"}}
    queues.sqs.send_message(QueueUrl=queues.dead, MessageBody=EVENT, MessageAttributes=mark)
    queues.log.look = queues.handled
    assert queues.operation.redrive(mode) == result
    said = capsys.readouterr().out
    assert "It was sent again before, and came back." in said
    assert ("'a b.jpg': ready" in said) == (mode is Mode.AGAIN)
    # Left where anyone may see it, an alarm too.
    assert len(queues.take_from(queues.dead)) == left


def test_a_look_changes_nothing(queues: Queues, capsys: pytest.CaptureFixture[str]) -> None:
    queues.log.failures = {queues.die(EVENT): "ClientError: SlowDown"}
    assert queues.operation.redrive(Mode.LOOK) == (0, 1)
    assert "ClientError: SlowDown" in capsys.readouterr().out
    assert (len(queues.take_from(queues.dead)), queues.take_from(queues.uploads)) == (1, [])


def test_a_letter_that_cannot_be_sent_stays(queues: Queues) -> None:
    queues.die(EVENT)
    queues.sqs.delete_queue(QueueUrl=queues.uploads)
    with pytest.raises(queues.sqs.exceptions.QueueDoesNotExist):
        queues.operation.redrive(Mode.SEND)
    assert len(queues.take_from(queues.dead)) == 1


def test_more_letters_than_one_answer_holds(queues: Queues) -> None:
    for _ in range(25):
        queues.die(EVENT)
    queues.log.look = queues.handled
    assert queues.operation.redrive(Mode.SEND) == (25, 0)


@pytest.mark.parametrize("body", ["no JSON", "[]", "{}", '{"Records": []}', '{"Records": [1]}', "null"])
def test_what_makes_no_sense_is_shown_as_it_is(body: str) -> None:
    assert describe(body) == f"No event of S3: {body!r}"
