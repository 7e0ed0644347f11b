"""The thumbnailer reaches the same result when events arrive twice, late, out of order, or at the same time."""

import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from botocore.client import BaseClient

from photos import input_limits
from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from photos.keys import thumbnail_key
from photos.limits import SIZES
from photos.thumbnails import Outcome, Thumbnailer
from tests.lambda_src.crash_injection import Crash
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


def test_deletion_is_noticed_when_another_handler_has_created_the_item_for_an_older_upload(
    thumbnailer: Thumbnailer, aws: MockedAws, meanwhile: Callable[[Callable[[], Any]], None]
) -> None:
    """The other handler finds that the original is gone, but the item is newer than its event by then."""
    older, newer = aws.upload(KEY, jpeg("red"), "01"), aws.upload(KEY, jpeg("blue"), "02")

    def delete_and_write_older() -> None:
        aws.delete(KEY)
        thumbnailer.process_deletion(KEY, "03")
        aws.catalogue.set_ready(KEY, older, uploaded_at=datetime.now(UTC), thumbnails={})

    meanwhile(delete_and_write_older)
    assert thumbnailer.process_upload(KEY, newer) is Outcome.REMOVED
    assert (aws.items(), aws.thumbnails()) == ({}, {})


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


def test_registered_photo_needs_no_check_whether_its_original_exists(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    exists = aws.originals.exists

    def check(key: str) -> bool:
        checked.append(key)
        return exists(key)

    monkeypatch.setattr(aws.originals, "exists", check)
    aws.catalogue.register("registered", registered_at=datetime.now(UTC))
    for key in ("registered", "registered", "unknown", "unknown"):
        assert thumbnailer.process_upload(key, aws.upload(key, jpeg())) is Outcome.READY
    assert checked == ["unknown"]


class Schedule:
    """Runs actions in threads of which one runs at a time. At each call to AWS, a random one goes on.

    An action may crash before or after a call. Then it starts again.
    """

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._random = random.Random(seed)
        self._crash_rates: dict[threading.Thread, float] = {}
        self._goes_on: dict[threading.Thread, threading.Semaphore] = {}
        self._paused = threading.Semaphore(0)
        self._errors: list[BaseException] = []
        make_api_call = getattr(BaseClient, "_make_api_call")  # noqa: B009  # not in botocore's types

        def call(*arguments: Any) -> Any:
            if not (goes_on := self._goes_on.get(threading.current_thread())):
                return make_api_call(*arguments)
            self._paused.release()
            goes_on.acquire()
            self._crash_or_continue()
            response = make_api_call(*arguments)
            self._crash_or_continue()
            return response

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def start(self, action: Callable[[], object], *, crash_rate: float = 0) -> None:
        """Start an action, which waits for its turn, and crashes before and after this fraction of its calls."""
        goes_on = threading.Semaphore(0)

        def run() -> None:
            goes_on.acquire()
            crashed = True
            while crashed:
                try:
                    action()
                    crashed = False
                except Crash:
                    pass
                except Exception as error:
                    self._errors.append(error)
                    crashed = False
            del self._goes_on[threading.current_thread()]
            self._paused.release()

        thread = threading.Thread(target=run)
        self._goes_on[thread], self._crash_rates[thread] = goes_on, crash_rate
        thread.start()

    def _crash_or_continue(self) -> None:
        if self._random.random() < self._crash_rates[threading.current_thread()]:
            raise Crash

    def run(self) -> None:
        """Return when all actions have ended."""
        while self._goes_on:
            self._random.choice([*self._goes_on.values()]).release()
            self._paused.acquire()
        assert not self._errors, self._errors


class Serial:
    """Replaces the threads that store the sizes of a photo, because a schedule has one thread for each message."""

    def __init__(self, _threads: int) -> None:
        self.map = map

    def __enter__(self) -> "Serial":
        return self

    def __exit__(self, *_exception: object) -> None:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("crashes", [False, True], ids=["no crash", "crashes"])
def test_messages_of_a_photo_reach_the_state_of_its_last_event_in_any_interleaving(
    thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, crashes: bool
) -> None:
    """A client uploads, replaces, and deletes photos, while handlers process each event, and some of them twice."""
    monkeypatch.setattr("photos.thumbnails.ThreadPoolExecutor", Serial)

    def make_thumbnails(photo: bytes, sizes: Sequence[int]) -> dict[int, bytes]:
        if photo == b"invalid":
            raise PhotoRejected("broken", "It is.")
        return dict.fromkeys(sizes, photo)

    monkeypatch.setattr(thumbnailer, "_make_thumbnails", make_thumbnails)

    def run(seed: int) -> None:
        choose, key = random.Random(seed), f"{seed}.jpg"
        bodies = [b"red", *(choose.choice([b"red", b"blue", b"invalid", None]) for _ in range(choose.randint(1, 4)))]
        if choose.random() < 0.5:
            aws.catalogue.register(key, registered_at=datetime.now(UTC))

        def deliver(process: Callable[[], object]) -> None:
            for _ in range(choose.randint(1, 2)):
                schedule.start(process, crash_rate=0.05 if crashes else 0)

        def use() -> None:
            for number, body in enumerate(bodies):
                if body is None:
                    aws.delete(key)
                    deliver(partial(thumbnailer.process_deletion, key, f"{number:02}"))
                else:
                    deliver(partial(thumbnailer.process_upload, key, aws.upload(key, body, f"{number:02}")))

        with monkeypatch.context() as patch:
            schedule = Schedule(seed, patch)
            schedule.start(use)
            schedule.run()
        expected = {b"invalid": "rejected", None: None}.get(bodies[-1], "ready")
        item = aws.items().get(key, {})
        assert item.get("state") == expected, seed
        named = set(item.get("thumbnails", {}).values())
        assert named <= aws.thumbnails().keys() if crashes else named == aws.thumbnails().keys(), seed
        aws.thumbnail_bucket.delete_all(aws.thumbnails())
        aws.catalogue.remove(key, "99")

    for seed in range(100):
        run(seed)


def test_created_at_is_the_time_of_the_upload(aws: MockedAws) -> None:
    aws.process(KEY)
    created_at = datetime.fromisoformat(aws.items()[KEY]["created_at"])
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 60
