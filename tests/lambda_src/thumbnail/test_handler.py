"""The thumbnail function with batches of S3 events from the queue."""

import json
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from threading import Barrier, Event, Timer, active_count, get_ident
from time import monotonic, sleep
from types import ModuleType
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from photos.decoder_process import DecoderProcess
from photos.limits import SIZES
from stacks.constructs.thumbnailer import REJECTED
from tests.lambda_src.mocked_aws import ORIGINALS, THUMBNAILS, LambdaContext, MockedAws, jpeg, load_function
from thumbnail.messages import SECONDS_PER_PHOTO

AWKWARD_KEYS = [
    "plain.jpg",
    "no extension",
    "folder/sub folder/a b.jpg",
    "plus+and space.jpg",
    "100%25 literal %2F.jpg",
    "umlaut-äöü-日本語-🏔.jpg",
    "../up/../and/./down.jpg",
    "/leading/slash.jpg",
    "trailing/slash/",
    "quotes'\"<&>.jpg",
    "k" * 1024,
    "é" * 512,  # 1,024 bytes
]

PATIENCE_SECONDS = 30  # long enough that it only ends a test that fails

ALL_PROCESSED: dict[str, Any] = {"batchItemFailures": []}

Handle = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def function(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load_function(monkeypatch, "thumbnail")


@pytest.fixture
def handle(function: ModuleType) -> Handle:
    return lambda event: function.handler(event, LambdaContext())


def record(key: str, etag: str = "", sequencer: str = "01", event: str = "ObjectCreated:Put") -> dict[str, Any]:
    """Return the used part of an S3 event. Deletions have no ETag."""
    s3_object = {"key": quote_plus(key, safe="/"), "sequencer": sequencer}
    return {"eventName": event, "s3": {"object": s3_object | ({"eTag": etag} if etag else {})}}


def batch(*bodies: object) -> dict[str, Any]:
    """Return a batch of SQS messages with these bodies, whose ids are their positions."""
    return {"Records": [message(str(place), json.dumps(body)) for place, body in enumerate(bodies)]}


def message(message_id: str, body: str, receives: int = 1) -> dict[str, Any]:
    """Return the used part of an SQS message that was received `receives` times."""
    attributes = {"ApproximateReceiveCount": str(receives)}
    return {"messageId": message_id, "receiptHandle": f"handle {message_id}", "attributes": attributes, "body": body}


def events(*records: dict[str, Any]) -> dict[str, Any]:
    """Return a batch with one message for each of these events."""
    return batch(*({"Records": [record]} for record in records))


def failures(response: dict[str, Any]) -> list[str]:
    """Return the sorted ids of the messages that a response reports as failed."""
    return sorted(failure["itemIdentifier"] for failure in response["batchItemFailures"])


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_photo_under_any_key_gets_thumbnails_of_all_sizes(handle: Handle, aws: MockedAws, key: str) -> None:
    etag = aws.put(key, jpeg(size=(2000, 1000)))
    assert handle(events(record(key, etag))) == ALL_PROCESSED
    item = aws.items()[key]
    assert (item["state"], item["etag"]) == ("ready", etag)
    assert set(item["thumbnails"]) == {str(size) for size in SIZES}
    for path in aws.thumbnails():
        head = aws.s3.head_object(Bucket=THUMBNAILS, Key=path)
        assert head["ContentType"] == "image/webp"
        assert head["CacheControl"] == "private, max-age=31536000, immutable"
    aws.assert_consistent()


@pytest.mark.guarantee("Loses no photo")
def test_duplicate_and_stale_events_are_processed_and_change_nothing(handle: Handle, aws: MockedAws) -> None:
    stale = record("a.jpg", aws.put("a.jpg", jpeg("red")), "01")
    newer = record("a.jpg", aws.put("a.jpg", jpeg("blue")), "02")
    handle(events(newer))
    before = aws.items(), aws.thumbnails()
    for event in (newer, stale):
        assert handle(events(event)) == ALL_PROCESSED
        assert (aws.items(), aws.thumbnails()) == before


def test_deletion_removes_item_and_thumbnails(handle: Handle, aws: MockedAws) -> None:
    deletion = record("a.jpg", sequencer="02", event="ObjectRemoved:Delete")
    assert handle(events(deletion)) == ALL_PROCESSED, "of an unknown photo"
    handle(events(record("a.jpg", aws.put("a.jpg", jpeg()))))
    aws.delete("a.jpg")
    assert handle(events(deletion)) == ALL_PROCESSED
    assert (aws.items(), aws.thumbnails()) == ({}, {})


def _client_error(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "AnyCall")


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.parametrize(
    "error",
    [
        _client_error("SlowDown", 503),
        _client_error("InternalError", 500),
        _client_error("AccessDenied", 403),
        ConnectTimeoutError(endpoint_url="https://s3"),
        ReadTimeoutError(endpoint_url="https://s3"),
    ],
    ids=["slow down", "internal error", "access denied", "connect timeout", "read timeout"],
)
@pytest.mark.parametrize("call", ["get_object", "put_object", "head_object", "update_item"])
def test_transient_error_is_retried(
    function: ModuleType, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, error: Exception, call: str
) -> None:
    def fail(**_arguments: Any) -> None:
        raise error

    event = events(record("a.jpg", aws.put("a.jpg", jpeg())))
    thumbnailer = function._processor._thumbnailer
    client = thumbnailer._catalogue._dynamodb if call == "update_item" else thumbnailer._originals._s3
    with monkeypatch.context() as patch:
        patch.setattr(client, call, fail, raising=False)
        assert function.handler(event, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert "a.jpg" not in aws.items() or aws.items()["a.jpg"]["state"] == "ready"
    assert function.handler(event, LambdaContext()) == ALL_PROCESSED
    assert aws.items()["a.jpg"]["state"] == "ready"
    aws.assert_consistent()


def test_only_failed_messages_are_retried(handle: Handle, aws: MockedAws, caplog: pytest.LogCaptureFixture) -> None:
    bodies = {"a.jpg": jpeg(), "text.jpg": b"This is a text.", "b.jpg": jpeg()}
    first, text, second = [{"Records": [record(key, aws.put(key, body))]} for key, body in bodies.items()]
    unknown = {"Records": [record("c.jpg", "e", event="Renamed")]}
    test_message = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": ORIGINALS}
    event = batch(first, {"Records": [{"eventName": "ObjectCreated:Put"}]}, text, unknown, test_message, second)
    event["Records"].append(message("6", "no JSON"))
    assert failures(handle(event)) == ["1", "3", "6"]
    states = {key: (item["state"], item.get("code")) for key, item in aws.items().items()}
    assert states == {"a.jpg": ("ready", None), "b.jpg": ("ready", None), "text.jpg": ("rejected", "not_a_photo")}
    assert "no JSON" in caplog.text


def test_photo_that_the_decoder_process_cannot_judge_is_retried(function: ModuleType, aws: MockedAws) -> None:
    with DecoderProcess(elapsed_seconds=0.01) as decoder:
        function._processor._thumbnailer._make_thumbnails = decoder.make_thumbnails
        event = events(record("a.jpg", aws.put("a.jpg", jpeg())))
        assert function.handler(event, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert aws.items() == {}


def test_message_returns_to_the_queue_when_the_batch_is_out_of_time(function: ModuleType, aws: MockedAws) -> None:
    event = events(record("a.jpg", aws.put("a.jpg", jpeg())))
    assert function.handler(event, LambdaContext(seconds=9)) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert aws.items() == {}


def photos(aws: MockedAws, *keys: str) -> list[dict[str, Any]]:
    """Upload photos. Returns their events."""
    return [record(key, aws.put(key, jpeg())) for key in keys]


def test_photos_of_a_batch_overlap_and_at_most_three_are_in_memory(function: ModuleType, aws: MockedAws) -> None:
    in_memory, most, three = set[int](), [0], Event()

    def make_thumbnails(photo: bytes, sizes: Sequence[int]) -> dict[int, bytes]:
        in_memory.add(get_ident())
        if len(in_memory) == 3:
            three.set()
        assert three.wait(PATIENCE_SECONDS)
        sleep(0.2)  # enough for a fourth photo
        most.append(len(in_memory))
        in_memory.discard(get_ident())
        return dict.fromkeys(sizes, photo)

    function._processor._thumbnailer._make_thumbnails = make_thumbnails
    assert function.handler(events(*photos(aws, *"abcdef")), LambdaContext()) == ALL_PROCESSED
    assert max(most) == 3


def test_slow_original_delays_no_other_message_and_no_retry(
    function: ModuleType, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_object, retried = function._processor._thumbnailer._originals._s3.get_object, Event()

    def get_slowly(*, Key: str, **arguments: Any) -> Any:
        if Key == "slow":
            assert retried.wait(PATIENCE_SECONDS)
            deadline = monotonic() + PATIENCE_SECONDS
            while aws.items().keys() != {"a", "b", "c", "d"}:
                assert monotonic() < deadline
                sleep(0.01)
        return get_object(Key=Key, **arguments)

    monkeypatch.setattr(function._processor._thumbnailer._originals._s3, "get_object", get_slowly, raising=False)
    monkeypatch.setattr(function._processor.sqs, "change_message_visibility", lambda **_call: retried.set())
    event = events(*photos(aws, "slow", "a", "b", "c", "d"))
    event["Records"].append(message("poison", "no JSON"))
    assert failures(function.handler(event, LambdaContext())) == ["poison"]
    assert aws.items().keys() == {"slow", "a", "b", "c", "d"}


def test_both_sizes_are_stored_at_the_same_time_and_before_the_item(
    function: ModuleType, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, together = function._processor._thumbnailer._thumbnails, Barrier(len(SIZES), timeout=PATIENCE_SECONDS)
    write = bucket.write

    def write_together(key: str, webp: bytes) -> None:
        together.wait()
        assert aws.items() == {}
        write(key, webp)

    monkeypatch.setattr(bucket, "write", write_together)
    assert function.handler(events(*photos(aws, "a")), LambdaContext()) == ALL_PROCESSED
    aws.assert_consistent()


@pytest.mark.guarantee("Loses no photo")
def test_item_is_not_written_when_one_size_cannot_be_stored(
    function: ModuleType, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = function._processor._thumbnailer._thumbnails
    write = bucket.write

    def write_small_size(key: str, webp: bytes) -> None:
        if key.endswith(f"/{max(SIZES)}.webp"):
            raise _client_error("SlowDown", 503)
        write(key, webp)

    with monkeypatch.context() as patch:
        patch.setattr(bucket, "write", write_small_size)
        event = events(*photos(aws, "a"))
        assert failures(function.handler(event, LambdaContext())) == ["0"]
    assert aws.items() == {}
    assert function.handler(event, LambdaContext()) == ALL_PROCESSED
    aws.assert_consistent()


@pytest.mark.guarantee("Loses no photo")
def test_photos_that_wait_for_the_decoder_return_to_the_queue_when_the_batch_is_out_of_time(
    function: ModuleType, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    retried: list[str] = []
    monkeypatch.setattr(
        function._processor.sqs, "change_message_visibility", lambda **call: retried.append(call["ReceiptHandle"])
    )
    event, threads = events(*photos(aws, "a", "b", "c", "d")), active_count()
    function._decoder._lock.acquire()  # as if it decoded a photo that takes long
    end = Timer(PATIENCE_SECONDS, function._decoder._lock.release)
    end.start()
    try:
        response = function.handler(event, LambdaContext(seconds=SECONDS_PER_PHOTO + 1))
        assert active_count() <= threads + 1, "nothing runs after the handler has returned, apart from the timer"
        assert failures(response) == ["0", "1", "2", "3"]
        assert sorted(retried) == [f"handle {place}" for place in range(4)]
        assert (aws.items(), aws.thumbnails()) == ({}, {})
    finally:
        end.cancel()
        function._decoder._lock.release()
    assert function.handler(event, LambdaContext()) == ALL_PROCESSED
    aws.assert_consistent()


def test_rejection_is_logged_as_the_metric_filter_expects(
    handle: Handle, aws: MockedAws, caplog: pytest.LogCaptureFixture
) -> None:
    for key, content in (("rejected, .jpg", jpeg()), ("text.jpg", b"text")):
        with caplog.at_level("INFO", logger="thumbnail"):
            handle(events(record(key, aws.put(key, content))))
    assert [fnmatchcase(message, f"* {REJECTED} *") for message in caplog.messages] == [False, True]


@pytest.mark.parametrize(("receives", "seconds"), [(1, 5), (2, 30), (3, 0), (9, 0)])
def test_failed_message_is_retried_after_the_delay_of_its_attempt(
    function: ModuleType, handle: Handle, monkeypatch: pytest.MonkeyPatch, receives: int, seconds: int
) -> None:
    """RETRY_SECONDS is "5 30". Later, SQS moves the message to the dead-letter queue when it is visible again."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(function._processor.sqs, "change_message_visibility", lambda **call: calls.append(call))
    body = json.dumps({"Records": [record("deleted.jpg", event="ObjectRemoved:Delete")]})
    handle({"Records": [message("good", body), message("bad", "no JSON", receives)]})
    (call,) = calls
    assert (call["ReceiptHandle"], call["VisibilityTimeout"]) == ("handle bad", seconds)
    assert call["QueueUrl"].endswith("/uploads")


def test_failure_is_reported_when_its_retry_cannot_be_scheduled(handle: Handle) -> None:
    """The queue does not exist here."""
    assert handle({"Records": [message("bad", "no JSON")]}) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
