"""The thumbnail function on batches of S3 events from the queue."""

import importlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg

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

Handler = Callable[[dict[str, Any]], dict[str, Any]]


class Context:
    """Lambda's context with a minute left."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def handler(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The handler as Lambda loads it: its clients are made when it is imported."""
    monkeypatch.setenv("ORIGINALS_BUCKET", ORIGINALS)
    monkeypatch.setenv("THUMBNAILS_BUCKET", THUMBNAILS)
    monkeypatch.setenv("CATALOGUE_TABLE", CATALOGUE)
    import thumbnail.handler

    module = importlib.reload(thumbnail.handler)
    return lambda event: module.handler(event, Context())


def record(key: str, etag: str = "", sequencer: str = "01", event: str = "ObjectCreated:Put") -> dict[str, Any]:
    """An S3 event, as far as it matters. Deletions carry no ETag."""
    s3_object = {"key": quote_plus(key, safe="/"), "sequencer": sequencer}
    return {"eventName": event, "s3": {"object": s3_object | ({"eTag": etag} if etag else {})}}


def batch(*bodies: object) -> dict[str, Any]:
    """SQS messages with these bodies; a message's id is its place."""
    return {"Records": [{"messageId": str(place), "body": json.dumps(body)} for place, body in enumerate(bodies)]}


def message(*records: dict[str, Any]) -> dict[str, Any]:
    """The body of one message."""
    return {"Records": list(records)}


ALL_DONE: dict[str, Any] = {"batchItemFailures": []}


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_a_photo_under_any_key_gets_both_sizes_and_is_ready(handler: Handler, aws: MockedAws, key: str) -> None:
    etag = aws.put(key, jpeg(size=(2000, 1000)))
    assert handler(batch(message(record(key, etag)))) == ALL_DONE
    item = aws.items()[key]
    assert (item["state"], item["etag"]) == ("ready", etag)
    assert set(item["thumbnails"]) == {"256", "1024"}
    aws.check_consistent()


def test_thumbnails_are_served_as_webp_and_cached_for_ever(handler: Handler, aws: MockedAws) -> None:
    handler(batch(message(record("a.jpg", aws.put("a.jpg", jpeg())))))
    for key in aws.thumbnails():
        head = aws.s3.head_object(Bucket=THUMBNAILS, Key=key)
        assert head["ContentType"] == "image/webp"
        assert head["CacheControl"] == "private, max-age=31536000, immutable"


def test_a_duplicate_changes_nothing(handler: Handler, aws: MockedAws) -> None:
    event = batch(message(record("a.jpg", aws.put("a.jpg", jpeg()))))
    handler(event)
    before = aws.items(), aws.thumbnails()
    assert handler(event) == ALL_DONE
    assert (aws.items(), aws.thumbnails()) == before


def test_a_late_event_is_done_with_and_changes_nothing(handler: Handler, aws: MockedAws) -> None:
    late = record("a.jpg", aws.put("a.jpg", jpeg("red")), "01")
    handler(batch(message(record("a.jpg", aws.put("a.jpg", jpeg("blue")), "02"))))
    before = aws.items(), aws.thumbnails()
    assert handler(batch(message(late))) == ALL_DONE
    assert (aws.items(), aws.thumbnails()) == before


def test_a_refused_file_is_done_with_and_says_why(handler: Handler, aws: MockedAws) -> None:
    etag = aws.put("a.jpg", b"This is a text.")
    assert handler(batch(message(record("a.jpg", etag)))) == ALL_DONE
    item = aws.items()["a.jpg"]
    assert (item["state"], item["etag"], item["code"]) == ("rejected", etag, "not_a_photo")
    assert item["reason"].startswith("This file is not a supported image")
    assert aws.thumbnails() == {}


def test_a_deleted_photo_loses_all(handler: Handler, aws: MockedAws) -> None:
    handler(batch(message(record("a.jpg", aws.put("a.jpg", jpeg())))))
    aws.s3.delete_object(Bucket=ORIGINALS, Key="a.jpg")
    assert handler(batch(message(record("a.jpg", sequencer="02", event="ObjectRemoved:Delete")))) == ALL_DONE
    assert (aws.items(), aws.thumbnails()) == ({}, {})


def test_a_deletion_of_what_was_never_known_is_done_with(handler: Handler, aws: MockedAws) -> None:
    assert handler(batch(message(record("a.jpg", sequencer="02", event="ObjectRemoved:Delete")))) == ALL_DONE


def test_the_test_message_of_s3_is_done_with(handler: Handler) -> None:
    assert handler(batch({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": ORIGINALS})) == ALL_DONE


def _error_of_aws(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "AnyCall")


@pytest.mark.parametrize(
    "fault",
    [
        _error_of_aws("SlowDown", 503),
        _error_of_aws("InternalError", 500),
        _error_of_aws("AccessDenied", 403),
        ConnectTimeoutError(endpoint_url="https://s3"),
        ReadTimeoutError(endpoint_url="https://s3"),
    ],
    ids=["slow down", "internal error", "access denied", "no connection", "no answer"],
)
@pytest.mark.parametrize("call", ["get_object", "put_object", "head_object", "update_item"])
def test_a_fault_that_may_pass_is_tried_again_and_then_all_is_well(
    handler: Handler, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, fault: Exception, call: str
) -> None:
    event = batch(message(record("a.jpg", aws.put("a.jpg", jpeg()))))
    with monkeypatch.context() as patch:
        patch.setattr(_owner(call), call, _raise(fault), raising=False)
        assert handler(event) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert "a.jpg" not in aws.items() or aws.items()["a.jpg"]["state"] == "ready"
    assert handler(event) == ALL_DONE
    assert aws.items()["a.jpg"]["state"] == "ready"
    aws.check_consistent()


def _owner(call: str) -> object:
    import thumbnail.handler

    thumbnailer = thumbnail.handler._thumbnailer
    return thumbnailer._catalogue._dynamodb if call == "update_item" else thumbnailer._originals._s3


def _raise(fault: Exception) -> Callable[..., None]:
    def call(**_arguments: Any) -> None:
        raise fault

    return call


def test_one_bad_message_does_not_hold_up_the_others(
    handler: Handler, aws: MockedAws, caplog: pytest.LogCaptureFixture
) -> None:
    good = [record(key, aws.put(key, jpeg())) for key in ("a.jpg", "b.jpg")]
    event = batch(message(good[0]), {"Records": [{"eventName": "ObjectCreated:Put"}]}, message(good[1]))
    event["Records"].append({"messageId": "3", "body": "no JSON"})
    event["Records"].append({"messageId": "4", "body": json.dumps(message(record("c.jpg", "e", event="Renamed")))})
    assert handler(event) == {"batchItemFailures": [{"itemIdentifier": place} for place in ("1", "3", "4")]}
    assert {key: item["state"] for key, item in aws.items().items()} == {"a.jpg": "ready", "b.jpg": "ready"}
    assert "no JSON" in caplog.text  # what failed can be found in the log


def test_what_no_time_is_left_for_goes_back_to_the_queue(
    handler: Handler, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = batch(message(record("a.jpg", aws.put("a.jpg", jpeg()))))
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda self: 9_999)
    assert handler(event) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert aws.items() == {}
