"""The thumbnailer reaches the same result when events arrive twice, late, out of order, or at the same time."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from photos import input_limits
from photos.imaging import make_thumbnails
from photos.keys import thumbnail_key
from photos.limits import SIZES
from photos.thumbnails import Outcome, Thumbnailer
from tests.lambda_src.mocked_aws import MockedAws, jpeg

pytestmark = pytest.mark.guarantee("Loses no photo")
KEY = "a.jpg"


@pytest.fixture
def meanwhile(thumbnailer: Thumbnailer, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Run an action once, while the next thumbnails are generated: after the original was read."""

    def arrange(action: Callable[[], Any]) -> None:
        def run_action_and_make_thumbnails(*arguments: Any) -> dict[int, bytes]:
            monkeypatch.setattr(thumbnailer, "_make_thumbnails", make_thumbnails)
            action()
            return make_thumbnails(*arguments)

        monkeypatch.setattr(thumbnailer, "_make_thumbnails", run_action_and_make_thumbnails)

    return arrange


def test_upload_event_of_a_replaced_original_is_stale(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    first = aws.upload(KEY, jpeg("red"), "01")
    second = aws.upload(KEY, jpeg("blue"), "02")
    assert thumbnailer.process_upload(KEY, first) is Outcome.STALE
    assert thumbnailer.process_upload(KEY, second) is Outcome.READY
    assert aws.items()[KEY]["etag"] == second.etag
    aws.assert_consistent()


def test_newest_upload_decides_when_events_arrive_in_reverse_order(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    # The first and the third upload have the same content and therefore the same ETag.
    first, second, third = (aws.upload(KEY, jpeg(color), f"0{n}") for n, color in enumerate(("red", "blue", "red")))
    assert thumbnailer.process_upload(KEY, third) is Outcome.READY
    assert thumbnailer.process_upload(KEY, second) is Outcome.STALE
    assert thumbnailer.process_upload(KEY, first) is Outcome.STALE
    assert set(aws.items()[KEY]["thumbnails"].values()) == {thumbnail_key(KEY, third, size) for size in SIZES}
    aws.assert_consistent()


def test_newer_upload_decides_when_it_is_processed_during_an_older_one(
    thumbnailer: Thumbnailer, aws: MockedAws, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    first = aws.upload(KEY, jpeg("red"), "01")
    meanwhile(lambda: aws.process(KEY, jpeg("blue"), "02"))
    assert thumbnailer.process_upload(KEY, first) is Outcome.STALE
    assert aws.items()[KEY]["sequencer"].startswith("02")
    aws.assert_consistent()


def test_deletion_that_is_processed_during_the_upload_removes_everything(
    thumbnailer: Thumbnailer, aws: MockedAws, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    upload = aws.upload(KEY, jpeg())

    def delete() -> None:
        aws.delete(KEY)
        thumbnailer.process_deletion(KEY, "02")

    meanwhile(delete)
    assert thumbnailer.process_upload(KEY, upload) is Outcome.REMOVED
    assert aws.items() == {}
    aws.assert_consistent()


def test_deletion_event_older_than_the_upload_is_stale(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    aws.process(KEY, sequencer="03")
    assert thumbnailer.process_deletion(KEY, "02") is Outcome.STALE
    assert aws.items()[KEY]["state"] == "ready"
    aws.assert_consistent()


def test_rejection_removes_the_thumbnails_of_the_replaced_photo(thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    aws.process(KEY)
    assert thumbnailer.process_upload(KEY, aws.upload(KEY, b"text", "02")) is Outcome.REJECTED
    item = aws.items()[KEY]
    assert (item["code"], "thumbnails" in item, aws.thumbnails()) == ("not_a_photo", False, {})
    aws.process(KEY, sequencer="03")
    assert not {"code", "reason"} & set(aws.items()[KEY])


def test_too_large_file_is_rejected_without_reading_it(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = jpeg()
    monkeypatch.setattr(input_limits, "MAX_BYTES", len(photo) - 1)
    assert thumbnailer.process_upload(KEY, aws.upload(KEY, photo)) is Outcome.REJECTED
    assert aws.items()[KEY]["code"] == "too_many_bytes"


@pytest.mark.parametrize("step", ["write", "set_ready", "exists"])
def test_upload_event_is_retried_after_a_crash_and_the_deletion_of_the_original(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    upload = aws.upload(KEY, jpeg())
    owners: dict[str, object] = {"write": aws.thumbnail_bucket, "set_ready": aws.catalogue, "exists": aws.originals}

    def crash(*_arguments: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(owners[step], step, crash)
        thumbnailer.process_upload(KEY, upload)
    aws.delete(KEY)
    assert thumbnailer.process_upload(KEY, upload) is Outcome.REMOVED
    assert (aws.items(), aws.thumbnails()) == ({}, {})


def test_created_at_is_the_time_of_the_upload(aws: MockedAws) -> None:
    aws.process(KEY)
    created_at = datetime.fromisoformat(aws.items()[KEY]["created_at"])
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 60
