"""The functions and the worker recover from a crash at every call to AWS, when Lambda, SQS, and ECS run them again."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest
from aws_cdk.assertions import Template
from moto import mock_aws

from photos.event_ordering import Upload
from photos.imaging import make_thumbnails
from photos.keys import is_thumbnail_key, thumbnail_key
from photos.limits import SIZES
from photos.sweep import Progress
from tests.containers.thumbnailer.running_worker import Uploads
from tests.lambda_src.conftest import mocked_aws
from tests.lambda_src.crash_injection import Crash, crash_at
from tests.lambda_src.mocked_aws import ORIGINALS, THUMBNAILS, LambdaContext, MockedAws, jpeg, load_function

pytestmark = [pytest.mark.slow, pytest.mark.guarantee("Loses no photo")]
KEY, QUEUE = "a.jpg", "uploads"
NEW_SIZES = (min(SIZES), 2 * max(SIZES))


class Service:
    """Thumbnails by the function or by the worker, and the sweep function, with a mocked AWS."""

    def __init__(
        self, aws: MockedAws, patch: pytest.MonkeyPatch, consumer: str, thumbnail: ModuleType, sweep: ModuleType
    ) -> None:
        self.aws = aws
        self._patch = patch
        self._consumer = consumer
        self._thumbnail = thumbnail
        self.sweep = sweep
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        self._uploads = Uploads(self.sqs, self.queue, patch)
        self._batch: list[dict[str, Any]] = []  # of the function

    def set_sizes(self, sizes: tuple[int, ...]) -> None:
        for module in ("photos.thumbnails", "photos.sweep"):
            self._patch.setattr(f"{module}.SIZES", sizes)

    def set_decoder(self, make_thumbnails: Callable[..., dict[int, bytes]]) -> None:
        self._patch.setattr(self._thumbnail._processor._thumbnailer, "_make_thumbnails", make_thumbnails)

    def process(self, *events: dict[str, Any]) -> None:
        """Process these S3 events, each in a message of its own."""
        self.deliver(*events)
        self.consume()

    def deliver(self, *events: dict[str, Any]) -> None:
        """Send one message for each of these S3 events."""
        if self._consumer == "worker":
            self._uploads.send_events(*events)
            return
        self._batch = [
            {
                "messageId": "m",
                "receiptHandle": "h",
                "attributes": {"ApproximateReceiveCount": "1"},
                "body": json.dumps({"Records": [event]}),
            }
            for event in events
        ]

    def consume(self) -> None:
        """Start the function or the worker, and let it process the messages, including those of a crashed attempt."""
        if self._consumer == "worker":
            self._uploads.end_visibility_timeouts()
            self._uploads.run_worker(self._thumbnail._processor)
            assert self._uploads.count() == (0, 0)
        else:
            response = self._thumbnail.handler({"Records": self._batch}, LambdaContext())
            assert response == {"batchItemFailures": []}

    def receive(self) -> list[dict[str, Any]]:
        """Receive and delete the events in the upload queue."""
        events = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                events += json.loads(message["Body"])["Records"]
        return events

    def run_sweep(self, check: Callable[[], None] = lambda: None) -> None:
        """Run a complete sweep with little time per invocation. A crashed invocation is retried.

        Args:
            check: Crash injection around the asynchronous invocation.
        """
        progress = Progress(datetime.now(UTC) + timedelta(days=2))
        events: list[Any] = [{"progress": progress.to_json()}]

        def invoke(**request: Any) -> None:
            check()
            events.append(json.loads(request["Payload"]))
            check()

        self.sweep._lambda.invoke = invoke
        while events:
            try:
                self.sweep.handler(events[0], LambdaContext(seconds=60))
            except Crash:
                continue
            del events[0]


@pytest.fixture
def consumer() -> str:
    """What makes the thumbnails: `function` or `worker`."""
    return "function"


Fresh = Callable[[], AbstractContextManager[Service]]


@pytest.fixture
def fresh(template: Callable[[str], Template], monkeypatch: pytest.MonkeyPatch, consumer: str) -> Fresh:
    """Start with an empty mocked AWS, as often as necessary. The functions are loaded once, which takes longest."""
    with mock_aws():
        queue = boto3.client("sqs").create_queue(QueueName=QUEUE)["QueueUrl"]
        functions = [load_function(monkeypatch, name, UPLOAD_QUEUE_URL=queue) for name in ("thumbnail", "sweep")]

    @contextmanager
    def start() -> Iterator[Service]:
        with mocked_aws(template("Thumbnails")) as aws, monkeypatch.context() as patch:
            yield Service(aws, patch, consumer, *functions)

    return start


def created(key: str, etag: str, sequencer: str) -> dict[str, Any]:
    """Return the S3 event of an upload."""
    return {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key, "eTag": etag, "sequencer": sequencer}}}


def replace(service: Service) -> dict[str, Any]:
    """Replace the photo by another one."""
    return created(KEY, service.aws.put(KEY, jpeg("blue")), "02")


def replace_by_invalid_image(service: Service) -> dict[str, Any]:
    """Replace the photo by a file that is not an image."""
    return created(KEY, service.aws.put(KEY, b"no photo"), "02")


def delete(service: Service) -> dict[str, Any]:
    """Delete the photo."""
    service.aws.delete(KEY)
    return {"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": KEY, "sequencer": "02"}}}


def delete_unnoticed(service: Service) -> dict[str, Any]:
    """Replace the photo, and delete it when the replacement was read. The deletion is processed before its item."""
    thumbnailer = service.aws.thumbnailer

    def delete_and_make_thumbnails(*arguments: Any) -> dict[int, bytes]:
        service.aws.delete(KEY)
        thumbnailer.process_deletion(KEY, "03")
        return make_thumbnails(*arguments)

    service.set_decoder(delete_and_make_thumbnails)
    return replace(service)


def change_sizes(service: Service) -> dict[str, Any]:
    """Change the thumbnail sizes. Returns the message that the sweep sends."""
    service.set_sizes(NEW_SIZES)
    item = service.aws.items()[KEY]
    return created(KEY, item["etag"], item["sequencer"])


@pytest.mark.parametrize("consumer", ["function", "worker"])
@pytest.mark.parametrize("change", [replace, replace_by_invalid_image, delete, delete_unnoticed, change_sizes])
def test_consumer_of_uploads_recovers_from_crash_at_every_call(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch, change: Callable[[Service], dict[str, Any]]
) -> None:
    def run(point: int | None) -> tuple[Any, Any, int]:
        with fresh() as service:
            aws = service.aws
            service.process(created(KEY, aws.put(KEY, jpeg("red")), "01"))
            service.deliver(change(service))
            with crash_at(monkeypatch, point) as injector:
                try:
                    service.consume()
                except Crash:
                    assert_named_thumbnails_exist(aws)
                    service.consume()
            assert_named_thumbnails_exist(aws)
            items = items_without_time(aws)
            service.run_sweep()  # removes orphans that the crash left behind
            assert service.receive() == []
            aws.assert_consistent()
            return items, items_without_time(aws), injector.points

    expected, after_sweep, points = run(None)
    assert expected == after_sweep
    if change is change_sizes:
        assert set(expected[KEY]["thumbnails"]) == {str(size) for size in NEW_SIZES}
    for point in range(points):
        assert run(point)[:2] == (expected, expected), point


def assert_named_thumbnails_exist(aws: MockedAws) -> None:
    """Assert that a client that reads the catalogue now finds the thumbnails that it names."""
    named = {path for item in aws.items().values() for path in item.get("thumbnails", {}).values()}
    assert named <= aws.thumbnails().keys()


def items_without_time(aws: MockedAws) -> dict[str, dict[str, Any]]:
    items = aws.items()
    return {key: {name: value for name, value in items[key].items() if name != "created_at"} for key in items}


def prepare_repairs(service: Service) -> None:
    """Create one case of each repair that a sweep makes."""
    aws = service.aws
    service.process(created("consistent", aws.put("consistent", jpeg()), "01"))
    aws.put("lost event", jpeg())
    service.process(created("lost thumbnail", aws.put("lost thumbnail", jpeg()), "01"))
    lost = aws.items()["lost thumbnail"]["thumbnails"][str(SIZES[0])]
    aws.s3.delete_object(Bucket=THUMBNAILS, Key=lost)
    service.process(created("lost deletion", aws.put("lost deletion", jpeg()), "01"))
    aws.delete("lost deletion")
    aws.thumbnail_bucket.write(thumbnail_key("consistent", Upload("e", "00"), SIZES[0]), b"orphan")
    aws.s3.create_multipart_upload(Bucket=ORIGINALS, Key="abandoned")


def test_sweep_recovers_from_crash_at_every_call(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(point: int | None) -> tuple[Any, int]:
        with fresh() as service:
            aws = service.aws
            prepare_repairs(service)
            with crash_at(monkeypatch, point) as injector:
                service.run_sweep(injector.check)
            events = service.receive()
            requeued = {unquote_plus(event["s3"]["object"]["key"]) for event in events}
            service.process(*events)
            multipart = aws.s3.list_multipart_uploads(Bucket=ORIGINALS).get("Uploads", [])
            reports = [key for key in aws.thumbnails() if key.startswith("reports/")]
            aws.assert_consistent()
            thumbnails = {key: body for key, body in aws.thumbnails().items() if is_thumbnail_key(key)}
            return (requeued, items_without_time(aws), thumbnails, multipart, len(reports)), injector.points

    expected, points = run(None)
    requeued, items, _, multipart, reports = expected
    assert (requeued, multipart, reports) == ({"lost event", "lost thumbnail"}, [], 1)
    assert items.keys() == {"consistent", "lost event", "lost thumbnail"}
    for point in range(points):
        assert run(point)[0] == expected, point
