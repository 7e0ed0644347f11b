"""What happens to a photo when things happen at once, twice, late, or stop half way: it ends the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import photos.thumbnails
from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.imaging import make_thumbnails
from photos.keys import thumbnail_key
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Outcome, Thumbnailer
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg

KEY = "a.jpg"


@pytest.fixture
def thumbnailer(aws: MockedAws) -> Thumbnailer:
    return Thumbnailer(Originals(aws.s3, ORIGINALS), Thumbnails(aws.s3, THUMBNAILS), Catalogue(aws.dynamodb, CATALOGUE))


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Do something just once, while the next thumbnails are made: after the original was read."""

    def arrange(action: Callable[[], Any]) -> None:
        def make_while_something_happens(*arguments: Any) -> dict[int, bytes]:
            monkeypatch.setattr(photos.thumbnails, "make_thumbnails", make_thumbnails)
            action()
            return make_thumbnails(*arguments)

        monkeypatch.setattr(photos.thumbnails, "make_thumbnails", make_while_something_happens)

    return arrange


def test_replaced_before_its_event_came(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    first = Upload(aws.put(KEY, jpeg("red")), "01")
    second = Upload(aws.put(KEY, jpeg("blue")), "02")
    assert thumbnailer.uploaded(KEY, first) is Outcome.STALE
    assert thumbnailer.uploaded(KEY, second) is Outcome.READY
    assert aws.items()[KEY]["etag"] == second.etag
    aws.check_consistent()


def test_events_in_the_wrong_order(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    # Red, blue, red again: the first and the third upload have the same content and so the same ETag.
    first = Upload(aws.put(KEY, jpeg("red")), "01")
    second = Upload(aws.put(KEY, jpeg("blue")), "02")
    third = Upload(aws.put(KEY, jpeg("red")), "03")
    assert thumbnailer.uploaded(KEY, third) is Outcome.READY
    assert thumbnailer.uploaded(KEY, second) is Outcome.STALE
    assert thumbnailer.uploaded(KEY, first) is Outcome.STALE
    assert set(aws.items()[KEY]["thumbnails"].values()) == {thumbnail_key(KEY, third, size) for size in (256, 1024)}
    aws.check_consistent()


def test_replaced_and_handled_while_the_older_one_is_in_work(
    thumbnailer: Thumbnailer, aws: MockedAws, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    first = Upload(aws.put(KEY, jpeg("red")), "01")

    def replace() -> None:
        second = Upload(aws.put(KEY, jpeg("blue")), "02")
        assert thumbnailer.uploaded(KEY, second) is Outcome.READY

    meanwhile(replace)
    assert thumbnailer.uploaded(KEY, first) is Outcome.STALE
    assert aws.items()[KEY]["sequencer"].startswith("02")
    aws.check_consistent()


def test_deleted_and_handled_while_in_work(
    thumbnailer: Thumbnailer, aws: MockedAws, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    upload = Upload(aws.put(KEY, jpeg()), "01")

    def delete() -> None:
        aws.s3.delete_object(Bucket=ORIGINALS, Key=KEY)
        thumbnailer.deleted(KEY, "02")

    meanwhile(delete)
    assert thumbnailer.uploaded(KEY, upload) is Outcome.REMOVED
    assert aws.items() == {}
    aws.check_consistent()


def test_uploaded_again_before_the_event_of_its_deletion_came(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    again = Upload(aws.put(KEY, jpeg()), "03")
    thumbnailer.uploaded(KEY, again)
    assert thumbnailer.deleted(KEY, "02") is Outcome.STALE
    assert aws.items()[KEY]["state"] == "ready"
    aws.check_consistent()


def test_a_refusal_takes_the_thumbnails_of_the_photo_it_replaced_with_it(
    thumbnailer: Thumbnailer, aws: MockedAws
) -> None:
    thumbnailer.uploaded(KEY, Upload(aws.put(KEY, jpeg()), "01"))
    assert thumbnailer.uploaded(KEY, Upload(aws.put(KEY, b"text"), "02")) is Outcome.REJECTED
    assert aws.thumbnails() == {}
    item = aws.items()[KEY]
    assert item["code"] == "not_a_photo"
    assert item["reason"].endswith(".")
    assert "thumbnails" not in item


def test_a_photo_takes_the_refusal_it_replaced_with_it(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    thumbnailer.uploaded(KEY, Upload(aws.put(KEY, b"text"), "01"))
    thumbnailer.uploaded(KEY, Upload(aws.put(KEY, jpeg()), "02"))
    assert not {"code", "reason"} & set(aws.items()[KEY])


def test_too_big_is_refused_without_reading_it(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = jpeg()
    monkeypatch.setattr(photos.thumbnails, "MAX_BYTES", len(photo) - 1)
    assert thumbnailer.uploaded(KEY, Upload(aws.put(KEY, photo), "01")) is Outcome.REJECTED
    assert aws.items()[KEY]["code"] == "too_many_bytes"


@pytest.mark.parametrize("step", ["write", "set_ready", "delete_all", "exists"])
def test_killed_anywhere_and_run_again(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    thumbnailer.uploaded(KEY, Upload(aws.put(KEY, jpeg("red")), "01"))
    upload = Upload(aws.put(KEY, jpeg("blue")), "02")

    def die(*_arguments: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    for owner in (Thumbnails, Catalogue, Originals):
        if hasattr(owner, step):
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(owner, step, die)
                thumbnailer.uploaded(KEY, upload)
    assert thumbnailer.uploaded(KEY, upload) is Outcome.READY
    assert aws.items()[KEY]["etag"] == upload.etag


@pytest.mark.parametrize("step", ["set_ready", "delete_all", "exists"])
def test_killed_and_its_original_deleted_before_it_runs_again(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    upload = Upload(aws.put(KEY, jpeg()), "01")

    def die(*_arguments: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    for owner in (Thumbnails, Catalogue, Originals):
        if hasattr(owner, step):
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(owner, step, die)
                thumbnailer.uploaded(KEY, upload)
    aws.s3.delete_object(Bucket=ORIGINALS, Key=KEY)
    assert thumbnailer.uploaded(KEY, upload) is Outcome.REMOVED
    assert aws.items() == {}
    assert aws.thumbnails() == {}


def test_the_time_of_creation_is_the_original_s(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    thumbnailer.uploaded(KEY, Upload(aws.put(KEY, jpeg()), "01"))
    created_at = datetime.fromisoformat(aws.items()[KEY]["created_at"])
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 60
