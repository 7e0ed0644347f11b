"""Functions killed at every call they make, one after the other, and run again as Lambda and SQS do it."""

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest
from aws_cdk.assertions import Template
from moto import mock_aws

from photos.event_ordering import Upload
from photos.keys import is_thumbnail_key, thumbnail_key
from photos.sweep import Progress
from tests.lambda_src.conftest import mocked_aws
from tests.lambda_src.crash_injection import Crash, crash_at
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg

pytestmark = pytest.mark.slow

KEY, QUEUE = "a.jpg", "uploads"


class Context:
    """Lambda's context, with time for one step."""

    function_name = "sweep"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Functions:
    """Both functions as Lambda loads them, in an AWS in which nothing has happened yet."""

    def __init__(self, aws: MockedAws, thumbnail: ModuleType, sweep: ModuleType) -> None:
        self.aws = aws
        self.thumbnail = thumbnail
        self.sweep = sweep
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]

    def handle(self, *events: dict[str, Any]) -> None:
        """The thumbnail function gets these events of S3, each in a message of its own."""
        records = [{"messageId": "m", "body": json.dumps({"Records": [event]})} for event in events]
        assert self.thumbnail.handler({"Records": records}, Context()) == {"batchItemFailures": []}

    def queued(self) -> list[dict[str, Any]]:
        """The events in the upload queue, taken out of it."""
        events = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                events += json.loads(message["Body"])["Records"]
        return events

    def run_sweep(self, passes: Callable[[], None]) -> None:
        """A sweep of all there is, in as many invocations as it asks for; one that is killed is tried again.

        passes: called before and after an invocation is asked for
        """
        progress = Progress(datetime.now(UTC) + timedelta(days=2))
        events: list[Any] = [{"progress": progress.to_json()}]

        def invoke(**asked: Any) -> None:
            passes()
            events.append(json.loads(asked["Payload"]))
            passes()

        self.sweep._lambda.invoke = invoke
        while events:
            try:
                self.sweep.handler(events[0], Context())
            except Crash:
                continue
            del events[0]


@pytest.fixture
def fresh(template: Callable[[str], Template], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Starts anew, as often as one wants. The functions are loaded once: making their clients takes longest."""
    for name, value in (
        ("ORIGINALS_BUCKET", ORIGINALS),
        ("THUMBNAILS_BUCKET", THUMBNAILS),
        ("CATALOGUE_TABLE", CATALOGUE),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        monkeypatch.setenv("UPLOAD_QUEUE_URL", boto3.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"])
        import sweep.handler
        import thumbnail.handler

        functions = importlib.reload(thumbnail.handler), importlib.reload(sweep.handler)

    @contextmanager
    def start() -> Iterator[Functions]:
        with mocked_aws(template("Thumbnails")) as aws:
            yield Functions(aws, *functions)

    return start


def created(key: str, etag: str, sequencer: str) -> dict[str, Any]:
    """The event of an upload."""
    return {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key, "eTag": etag, "sequencer": sequencer}}}


def replaced(aws: MockedAws) -> dict[str, Any]:
    """A photo replaced by another one."""
    return created(KEY, aws.put(KEY, jpeg("blue")), "02")


def replaced_by_a_text(aws: MockedAws) -> dict[str, Any]:
    """A photo replaced by what is none."""
    return created(KEY, aws.put(KEY, b"no photo"), "02")


def deleted(aws: MockedAws) -> dict[str, Any]:
    """A photo deleted."""
    aws.s3.delete_object(Bucket=ORIGINALS, Key=KEY)
    return {"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": KEY, "sequencer": "02"}}}


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.parametrize("happens", [replaced, replaced_by_a_text, deleted])
def test_the_thumbnail_function(
    fresh: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[MockedAws], dict[str, Any]],
) -> None:
    def run(moment: int | None) -> tuple[Any, Any, int]:
        with fresh() as functions:
            aws = functions.aws
            functions.handle(created(KEY, aws.put(KEY, jpeg("red")), "01"))
            event = happens(aws)
            with crash_at(monkeypatch, moment) as killer:
                try:
                    functions.handle(event)
                except Crash:
                    _names_only_what_is_there(aws)
                    functions.handle(event)
            _names_only_what_is_there(aws)
            items = _items(aws)
            # What a kill left behind and no item names is the sweep's to remove.
            functions.run_sweep(lambda: None)
            assert functions.queued() == []
            aws.check_consistent()
            return items, _items(aws), killer.moments

    expected, after_sweep, moments = run(None)
    assert expected == after_sweep
    for moment in range(moments):
        assert run(moment)[:2] == (expected, expected), moment


def _names_only_what_is_there(aws: MockedAws) -> None:
    """Whoever looks in this moment finds the thumbnails that the catalogue speaks of."""
    named = {path for item in aws.items().values() for path in item.get("thumbnails", {}).values()}
    assert named <= aws.thumbnails().keys()


def _items(aws: MockedAws) -> dict[str, dict[str, Any]]:
    """The catalogue, but for the time of day."""
    items = aws.items()
    return {key: {name: value for name, value in items[key].items() if name != "created_at"} for key in items}


def _a_mess(aws: MockedAws, functions: Functions) -> None:
    """Something for each thing that a sweep does."""
    functions.handle(created("all well", aws.put("all well", jpeg()), "01"))
    aws.put("event lost", jpeg())
    functions.handle(created("thumbnail lost", aws.put("thumbnail lost", jpeg()), "01"))
    aws.s3.delete_object(Bucket=THUMBNAILS, Key=aws.items()["thumbnail lost"]["thumbnails"]["256"])
    functions.handle(created("deletion lost", aws.put("deletion lost", jpeg()), "01"))
    aws.s3.delete_object(Bucket=ORIGINALS, Key="deletion lost")
    orphan = thumbnail_key("all well", Upload("e", "00"), 256)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=orphan, Body=b"webp")
    aws.s3.create_multipart_upload(Bucket=ORIGINALS, Key="half")


@pytest.mark.guarantee("Loses no photo")
def test_the_sweep(fresh: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(moment: int | None) -> tuple[Any, int]:
        with fresh() as functions:
            aws = functions.aws
            _a_mess(aws, functions)
            with crash_at(monkeypatch, moment) as killer:
                functions.run_sweep(killer.passes)
            events = functions.queued()
            asked_for = {unquote_plus(event["s3"]["object"]["key"]) for event in events}
            functions.handle(*events)
            left = aws.s3.list_multipart_uploads(Bucket=ORIGINALS).get("Uploads", [])
            reports = [key for key in aws.thumbnails() if key.startswith("reports/")]
            aws.check_consistent()
            thumbnails = {key: body for key, body in aws.thumbnails().items() if is_thumbnail_key(key)}
            return (asked_for, _items(aws), thumbnails, left, len(reports)), killer.moments

    expected, moments = run(None)
    asked_for, items, _, left, reports = expected
    assert (asked_for, left, reports) == ({"event lost", "thumbnail lost"}, [], 1)
    assert items.keys() == {"all well", "event lost", "thumbnail lost"}
    for moment in range(moments):
        assert run(moment)[0] == expected, moment
