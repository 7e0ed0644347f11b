"""The sweep against originals, thumbnails and catalogue that events left in every possible state."""

import json
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest

from photos.catalogue import Catalogue, Item, StaleEvent, State
from photos.errors import PhotoRejected
from photos.event_ordering import Upload
from photos.keys import photo_id, thumbnail_key
from photos.storage import ObjectSummary, Originals, Thumbnails
from photos.sweep import Counts, Phase, Progress, Sweep
from photos.thumbnails import Thumbnailer
from photos.upload_queue import UploadQueue
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg

KEYS = ["a.jpg", "b c/ü+1%.jpg", "🏔/no extension"]


class World:
    """A mocked AWS with a queue, and a sweep over it."""

    def __init__(self, aws: MockedAws) -> None:
        self.aws = aws
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="uploads")["QueueUrl"]
        self.originals = Originals(aws.s3, ORIGINALS)
        self.thumbnails = Thumbnails(aws.s3, THUMBNAILS)
        self.catalogue = Catalogue(aws.dynamodb, CATALOGUE)
        self.thumbnailer = Thumbnailer(self.originals, self.thumbnails, self.catalogue)
        self.sweep_itself = Sweep(self.originals, self.thumbnails, self.catalogue, UploadQueue(self.sqs, self.queue))

    def photo(self, key: str, sequencer: str = "01") -> None:
        """A photo of which all events were handled."""
        self.thumbnailer.uploaded(key, Upload(self.aws.put(key, jpeg()), sequencer))

    def sweep(self, after: timedelta = timedelta(hours=2), has_time: Callable[[], bool] = lambda: True) -> Progress:
        """A sweep begun this long after now."""
        progress = Progress(datetime.now(UTC) + after)
        self.sweep_itself.run(progress, has_time)
        return progress

    def messages(self) -> Iterator[dict[str, Any]]:
        """What is in the queue, taken out of it."""
        while received := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                yield json.loads(message["Body"])

    def handle_messages(self) -> list[str]:
        """Do what the thumbnail function does with them. Returns the keys."""
        keys = []
        for message in self.messages():
            for record in message["Records"]:
                assert record["eventName"].startswith("ObjectCreated:")
                key = unquote_plus(record["s3"]["object"]["key"])
                upload = Upload(record["s3"]["object"]["eTag"], record["s3"]["object"]["sequencer"])
                self.thumbnailer.uploaded(key, upload)
                keys.append(key)
        return sorted(keys)


@pytest.fixture
def world(aws: MockedAws) -> World:
    return World(aws)


def test_finds_nothing_to_do_where_all_is_well(world: World) -> None:
    for key in KEYS:
        world.photo(key)
    thumbnails = world.aws.thumbnails()
    assert world.sweep().counts == Counts(photos=3, thumbnails=6)
    assert list(world.messages()) == []
    assert world.aws.thumbnails() == thumbnails


@pytest.mark.parametrize("key", KEYS)
def test_queues_a_photo_whose_event_was_lost_and_its_thumbnails_are_made(world: World, key: str) -> None:
    world.aws.put(key, jpeg())
    assert world.sweep().counts == Counts(photos=1, queued=1)
    assert world.handle_messages() == [key]
    assert world.aws.items()[key]["state"] == "ready"
    world.aws.check_consistent()
    assert world.sweep().counts == Counts(photos=1, thumbnails=2)


def test_queues_a_photo_that_was_replaced_unnoticed(world: World) -> None:
    world.photo("a.jpg", sequencer="01")
    etag = world.aws.put("a.jpg", jpeg("blue"))
    assert world.sweep().counts.queued == 1
    world.handle_messages()
    assert world.aws.items()["a.jpg"]["etag"] == etag
    world.aws.check_consistent()


def test_an_event_that_comes_after_all_still_wins_over_what_the_sweep_queued(world: World) -> None:
    etag = world.aws.put("a.jpg", jpeg())
    world.sweep()
    world.handle_messages()
    world.thumbnailer.uploaded("a.jpg", Upload(etag, "01"))
    assert world.aws.items()["a.jpg"]["sequencer"].startswith("01")
    world.aws.check_consistent()


@pytest.mark.parametrize("lost", [[256], [1024], [256, 1024]])
def test_a_thumbnail_that_is_gone_is_made_again_as_it_was(world: World, lost: list[int]) -> None:
    for key in KEYS:
        world.photo(key, sequencer="00AB10")
    before = world.aws.thumbnails()
    item = world.aws.items()[KEYS[1]]
    for size in lost:
        world.aws.s3.delete_object(Bucket=THUMBNAILS, Key=item["thumbnails"][str(size)])
    # Not something an event in work would leave: no reason to wait.
    assert world.sweep(after=timedelta()).counts.queued == 1
    assert world.handle_messages() == [KEYS[1]]
    assert world.aws.thumbnails() == before


def test_does_not_queue_what_was_refused_again(world: World) -> None:
    world.thumbnailer.uploaded("a.jpg", Upload(world.aws.put("a.jpg", b"no photo"), "01"))
    assert world.aws.items()["a.jpg"]["state"] == "rejected"
    assert world.sweep().counts == Counts(photos=1)


def test_leaves_what_may_be_in_work(world: World) -> None:
    world.aws.put("event on its way.jpg", jpeg())
    world.photo("deletion on its way.jpg")
    world.aws.s3.delete_object(Bucket=ORIGINALS, Key="deletion on its way.jpg")
    world.thumbnails.write(thumbnail_key("written a moment ago.jpg", Upload("e", "01"), 256), b"webp")
    counts = world.sweep(after=timedelta(minutes=50)).counts
    assert counts == Counts(photos=1, thumbnails=3)


def test_removes_thumbnails_and_item_of_a_photo_that_is_gone(world: World) -> None:
    for key in KEYS:
        world.photo(key)
    world.aws.s3.delete_object(Bucket=ORIGINALS, Key=KEYS[1])
    counts = world.sweep().counts
    assert (counts.removed_items, counts.removed_thumbnails) == (1, 2)
    assert sorted(world.aws.items()) == [KEYS[0], KEYS[2]]
    world.aws.check_consistent()


def test_does_not_remove_a_photo_uploaded_again_in_that_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a.jpg", sequencer="01")
    world.aws.s3.delete_object(Bucket=ORIGINALS, Key="a.jpg")
    exists = world.originals.exists

    def uploaded_just_then(key: str) -> bool:
        monkeypatch.undo()
        answer = exists(key)
        world.photo("a.jpg", sequencer="02")
        return answer

    monkeypatch.setattr(world.originals, "exists", uploaded_just_then)
    assert world.sweep().counts.removed_items == 0
    assert world.aws.items()["a.jpg"]["state"] == "ready"
    world.aws.check_consistent()


def test_removes_thumbnails_that_no_item_names(world: World) -> None:
    world.photo("a.jpg", sequencer="02")
    for upload in (Upload("e", "01"), Upload("e", "03")):
        world.thumbnails.write(thumbnail_key("a.jpg", upload, 256), b"webp")
    world.thumbnails.write(thumbnail_key("no item.jpg", Upload("e", "01"), 256), b"webp")
    assert world.sweep().counts.removed_thumbnails == 3
    world.aws.check_consistent()


def test_leaves_albums_reports_and_whatever_else_is_no_thumbnail(world: World) -> None:
    others = {"albums/abc/manifest.json", "albums/abc/pages/0000.jpg", "reports/2026-01-01.json", "x", f"{'0' * 32}/x"}
    for key in others:
        world.aws.s3.put_object(Bucket=THUMBNAILS, Key=key, Body=b"")
    assert world.sweep(after=timedelta(days=400)).counts == Counts()
    assert set(world.aws.thumbnails()) == others


@pytest.mark.parametrize(("hours", "left"), [(23, 1), (25, 0)])
def test_removes_what_was_announced_and_never_uploaded_after_a_day(world: World, hours: int, left: int) -> None:
    world.catalogue.register("uploads/a.jpg", registered_at=datetime.now(UTC))
    assert world.sweep(after=timedelta(hours=hours)).counts.removed_items == 1 - left
    assert len(world.aws.items()) == left


def test_queues_what_was_announced_and_uploaded_unnoticed(world: World) -> None:
    world.catalogue.register("uploads/a.jpg", registered_at=datetime.now(UTC))
    world.aws.put("uploads/a.jpg", jpeg())
    assert world.sweep(after=timedelta(days=2)).counts == Counts(photos=1, queued=1)
    world.handle_messages()
    assert world.aws.items()["uploads/a.jpg"]["state"] == "ready"


@pytest.mark.parametrize(("hours", "aborted"), [(23, 0), (25, 1)])
def test_aborts_multipart_uploads_after_a_day(world: World, hours: int, aborted: int) -> None:
    world.aws.s3.create_multipart_upload(Bucket=ORIGINALS, Key="half.jpg")
    (upload,) = world.aws.s3.list_multipart_uploads(Bucket=ORIGINALS)["Uploads"]
    progress = Progress(upload["Initiated"] + timedelta(hours=hours))
    world.sweep_itself.run(progress, lambda: True)
    assert progress.counts.aborted_uploads == aborted
    left = world.aws.s3.list_multipart_uploads(Bucket=ORIGINALS).get("Uploads", [])
    assert len(left) == 1 - aborted


def _a_mess(world: World, size: int) -> None:
    """Photos in every state, far more than are dealt with between two looks at the clock."""
    for number in range(size):
        key, upload = f"photo {number:05}.jpg", Upload("e", "01")
        if number % 5 in (0, 1, 2):
            upload = Upload(world.aws.put(key, str(number).encode()), "01")
        if number % 5 in (1, 2, 3):
            path = thumbnail_key(key, upload, 256)
            world.catalogue.set_ready(key, upload, uploaded_at=datetime.now(UTC), thumbnails={256: path})
        if number % 5 in (1, 3, 4):
            world.thumbnails.write(thumbnail_key(key, upload, 256), b"webp")


def test_goes_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photos.sweep._BETWEEN_LOOKS_AT_THE_CLOCK", 20)
    size = 150
    _a_mess(world, size)
    progress = Progress(datetime.now(UTC) + timedelta(hours=2))
    runs = 0
    while progress.phase is not Phase.DONE:
        before = (progress.phase, progress.after)
        # As it travels from one run to the next; and there is never any time.
        progress = Progress.from_json(json.loads(json.dumps(progress.to_json())))
        world.sweep_itself.run(progress, lambda: False)
        assert (progress.phase, progress.after) != before, "it would never end"
        runs += 1
    fifth = size // 5
    assert runs > 10
    assert progress.counts == Counts(
        photos=3 * fifth,
        thumbnails=2 * fifth,  # those of items without a photo went with them
        queued=2 * fifth,
        removed_items=fifth,
        removed_thumbnails=2 * fifth,
    )
    queued = {unquote_plus(message["Records"][0]["s3"]["object"]["key"]) for message in world.messages()}
    assert queued == {f"photo {number:05}.jpg" for number in range(size) if number % 5 in (0, 2)}
    assert set(world.aws.items()) == {f"photo {number:05}.jpg" for number in range(size) if number % 5 in (1, 2)}
    assert len(world.aws.thumbnails()) == fifth


def test_two_at_once_do_no_harm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photos.sweep._BETWEEN_LOOKS_AT_THE_CLOCK", 20)
    _a_mess(world, 150)
    one, other = (Progress(datetime.now(UTC) + timedelta(hours=2)) for _ in range(2))
    while Phase.DONE not in (one.phase, other.phase):
        before = (one.phase, one.after)
        world.sweep_itself.run(one, lambda: False)
        assert (one.phase, one.after) != before, "it would never end"
        world.sweep_itself.run(other, lambda: False)
    for progress in (one, other):
        world.sweep_itself.run(progress, lambda: True)
    assert set(world.aws.items()) == {f"photo {number:05}.jpg" for number in range(150) if number % 5 in (1, 2)}
    assert len(world.aws.thumbnails()) == 30


def test_what_was_rejected_keeps_no_thumbnails(world: World) -> None:
    world.photo("a.jpg", sequencer="01")
    old = set(world.aws.thumbnails())
    upload = Upload(world.aws.put("a.jpg", b"no photo"), "02")
    world.catalogue.set_rejected("a.jpg", upload, uploaded_at=datetime.now(UTC), rejection=PhotoRejected("c", "R."))
    assert set(world.aws.thumbnails()) == old  # as if the function was killed in this moment
    assert world.sweep().counts.removed_thumbnails == 2
    world.aws.check_consistent()


def test_an_announced_photo_keeps_its_place_and_any_upload_is_newer(world: World) -> None:
    registered_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    item = world.catalogue.register("uploads/a.jpg", registered_at=registered_at)
    assert (item.id, item.state, item.created_at) == (photo_id("uploads/a.jpg"), "pending", registered_at)
    world.photo("uploads/a.jpg", sequencer="")
    found = world.aws.items()["uploads/a.jpg"]
    assert (found["state"], found["created_at"]) == ("ready", "2026-01-02T03:04:05.000Z")
    with pytest.raises(StaleEvent):
        world.catalogue.register("uploads/a.jpg", registered_at=registered_at)


class _Listings(Catalogue, Originals, Thumbnails):
    """So many photos, all well: what the sweep reads of them, in the order of keys and of ids, which are the same."""

    def __init__(self, photos: int, path: str) -> None:
        self._photos, self._path = photos, path
        self._now = datetime.now(UTC)

    def _entries(self, after: str) -> Iterator[str]:
        return (f"{number:032x}" for number in range(int(after[:32], 16) + 1 if after else 0, self._photos))

    def list_objects(self, *, after: str = "") -> Iterator[ObjectSummary]:
        return (ObjectSummary(self._path.format(name), "e", self._now) for name in self._entries(after))

    def items_by(self, order: str, *, after: str = "") -> Iterator[Item]:
        thumbnails = "{}/1-e/256.webp"
        for name in self._entries(after):
            yield Item(name, name, State.READY, self._now, "e", "1", {256: thumbnails.format(name)})

    def abort_multipart_uploads(self, *, before: datetime) -> Iterator[str]:
        return iter(())


def _sweep_over(photos: int) -> tuple[Sweep, Progress]:
    originals, thumbnails = _Listings(photos, "{}"), _Listings(photos, "{}/1-e/256.webp")
    sweep = Sweep(originals, thumbnails, _Listings(photos, ""), UploadQueue(boto3.client("sqs"), ""))
    return sweep, Progress(datetime.now(UTC))


def test_memory_does_not_grow_with_what_there_is() -> None:
    def peak(photos: int) -> int:
        """Bytes that a sweep over so many photos has at most."""
        sweep, progress = _sweep_over(photos)
        tracemalloc.start()
        sweep.run(progress, lambda: True)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert progress.counts == Counts(photos=photos, thumbnails=photos)
        return used

    assert peak(20_000) < peak(1_000) + 50_000


# What a call takes, at its usual slowest, and what an invocation has for calls: 15 minutes without its reserve.
_SECONDS_OF_A_CALL = 0.03
_SECONDS_OF_A_RUN = 15 * 60 - 90

# Invocations that Lambda lets follow one another (Lambda guide, "Recursive loop detection").
_MOST_RUNS = 16


class _AllGone(_Listings):
    """As if all photos had been deleted while no event was heard: each of them costs three calls."""

    calls = 0

    def list_objects(self, *, after: str = "") -> Iterator[ObjectSummary]:
        return iter(())

    def items_by(self, order: str, *, after: str = "") -> Iterator[Item]:
        return super().items_by(order, after=after) if order == "key" else iter(())  # by then they are removed

    def exists(self, key: str) -> bool:
        self.calls += 1
        return False

    def remove(self, key: str, sequencer: str) -> set[str]:
        self.calls += 1
        return {f"{key}/1-e/256.webp"}

    def delete_all(self, keys: Iterable[str]) -> None:
        self.calls += any(True for _ in keys)


def test_a_hundred_thousand_photos_that_are_gone_are_removed_before_lambda_ends_the_chain() -> None:
    gone = _AllGone(100_000, "")
    sweep = Sweep(gone, gone, gone, UploadQueue(boto3.client("sqs"), ""))
    progress, runs = Progress(datetime.now(UTC) + timedelta(days=1)), 0
    while progress.phase is not Phase.DONE:
        last = gone.calls + _SECONDS_OF_A_RUN / _SECONDS_OF_A_CALL
        sweep.run(progress, lambda: gone.calls < last)  # noqa: B023  # called within this round only
        progress = Progress.from_json(json.loads(json.dumps(progress.to_json())))  # as one run hands it to the next
        runs += 1
        assert runs <= _MOST_RUNS
    assert progress.counts == Counts(removed_items=100_000, removed_thumbnails=100_000)
    assert runs > 1
