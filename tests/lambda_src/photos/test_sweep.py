"""The sweep repairs every difference between originals, thumbnails, and catalogue, and nothing else."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

import boto3
import pytest

from photos.catalogue import Item
from photos.event_ordering import Upload
from photos.keys import thumbnail_key
from photos.limits import SIZES
from photos.snapshot import Snapshot
from photos.sweep import CatalogueTooLarge, Counts, Phase, Progress, Sweep
from photos.upload_queue import UploadQueue
from tests.lambda_src.mocked_aws import ORIGINALS, THUMBNAILS, MockedAws, jpeg

KEYS = ["a.jpg", "b c/ü+1%.jpg", "🏔/no extension"]
SMALLEST, LARGEST = min(SIZES), max(SIZES)


class SweepHarness:
    """A mocked AWS with an upload queue, and a sweep over it."""

    def __init__(self, aws: MockedAws) -> None:
        self.aws = aws
        self.sqs = boto3.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="uploads")["QueueUrl"]
        queue = UploadQueue(self.sqs, self.queue)
        self.sweeper = Sweep(aws.originals, aws.thumbnail_bucket, aws.catalogue, queue)

    def sweep(self, after: timedelta = timedelta(hours=2)) -> Counts:
        """Run a sweep that starts this long after now."""
        progress = Progress(datetime.now(UTC) + after)
        self.sweeper.run(progress, lambda: True)
        return progress.counts

    def receive(self) -> list[tuple[str, Upload]]:
        """Receive and delete the messages in the queue. Returns the requeued uploads, sorted by key."""
        uploads = []
        while received := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in received:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
                for record in json.loads(message["Body"])["Records"]:
                    assert record["eventName"].startswith("ObjectCreated:")
                    s3_object = record["s3"]["object"]
                    upload = Upload(s3_object["eTag"], s3_object["sequencer"])
                    uploads.append((unquote_plus(s3_object["key"]), upload))
        return sorted(uploads, key=lambda it: it[0])

    def process_messages(self) -> list[str]:
        """Process the messages like the thumbnail function. Returns the keys."""
        uploads = self.receive()
        for key, upload in uploads:
            self.aws.thumbnailer.process_upload(key, upload)
        return [key for key, _ in uploads]


@pytest.fixture
def harness(aws: MockedAws) -> SweepHarness:
    return SweepHarness(aws)


def set_sizes(monkeypatch: pytest.MonkeyPatch, *sizes: int) -> None:
    for module in ("photos.sweep", "photos.thumbnails"):
        monkeypatch.setattr(f"{module}.SIZES", sizes)


def test_sweep_changes_nothing_when_everything_is_consistent(harness: SweepHarness, aws: MockedAws) -> None:
    for key in KEYS:
        aws.process(key)
    aws.process("rejected.jpg", b"no photo")
    thumbnails = aws.thumbnails()
    assert harness.sweep() == Counts(photos=4, thumbnails=3 * len(SIZES))
    assert harness.receive() == []
    assert aws.thumbnails() == thumbnails


def test_sweep_requeues_photos_whose_event_was_lost(harness: SweepHarness, aws: MockedAws) -> None:
    aws.process("replaced.jpg")
    aws.catalogue.register("registered.jpg", registered_at=datetime.now(UTC))
    keys = sorted([*KEYS, "registered.jpg", "replaced.jpg"])
    etags = {key: aws.put(key, jpeg("blue")) for key in keys}
    assert harness.sweep() == Counts(photos=5, thumbnails=len(SIZES), queued=5)
    assert harness.process_messages() == keys
    assert {key: (item["state"], item["etag"]) for key, item in aws.items().items()} == {
        key: ("ready", etag) for key, etag in etags.items()
    }
    aws.assert_consistent()
    assert harness.sweep() == Counts(photos=5, thumbnails=5 * len(SIZES))


def test_delayed_event_takes_precedence_over_the_message_of_the_sweep(harness: SweepHarness, aws: MockedAws) -> None:
    etag = aws.put("a.jpg", jpeg())
    harness.sweep()
    harness.process_messages()
    aws.thumbnailer.process_upload("a.jpg", Upload(etag, "01"))
    assert aws.items()["a.jpg"]["sequencer"].startswith("01")
    aws.assert_consistent()


@pytest.mark.parametrize("lost", [[SMALLEST], [LARGEST], SIZES])
def test_sweep_restores_lost_thumbnails(harness: SweepHarness, aws: MockedAws, lost: Iterable[int]) -> None:
    for key in KEYS:
        aws.process(key, sequencer="00AB10")
    before = aws.thumbnails()
    thumbnails = aws.items()[KEYS[1]]["thumbnails"]
    for size in lost:
        aws.s3.delete_object(Bucket=THUMBNAILS, Key=thumbnails[str(size)])
    # No event in progress leaves this state, so the sweep does not wait for the grace period.
    assert harness.sweep(after=timedelta()).queued == 1
    assert harness.process_messages() == [KEYS[1]]
    assert aws.thumbnails() == before


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.parametrize(
    "sizes",
    [(SMALLEST, 2 * LARGEST), (*SIZES, 2 * LARGEST), (SMALLEST,), (2 * LARGEST, 4 * LARGEST)],
    ids=["one replaced", "one added", "one removed", "all replaced"],
)
def test_sweep_applies_changed_sizes_to_existing_photos(
    harness: SweepHarness, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]
) -> None:
    uploads = {key: aws.process(key, sequencer="00AB10") for key in KEYS}
    aws.process("rejected.jpg", b"no photo")
    before = aws.thumbnails()
    set_sizes(monkeypatch, *sizes)
    assert harness.sweep() == Counts(photos=4, thumbnails=len(before), queued=3)
    assert aws.thumbnails() == before, "the previous sizes remain until the new ones exist"
    assert harness.process_messages() == sorted(KEYS)
    for key, upload in uploads.items():
        assert aws.items()[key]["thumbnails"] == {str(size): thumbnail_key(key, upload, size) for size in sizes}
    aws.assert_consistent()
    assert harness.sweep() == Counts(photos=4, thumbnails=3 * len(sizes))


def test_sweep_ignores_recent_changes(harness: SweepHarness, aws: MockedAws) -> None:
    aws.put("event in progress.jpg", jpeg())
    aws.process("deletion in progress.jpg")
    aws.delete("deletion in progress.jpg")
    aws.thumbnail_bucket.write(thumbnail_key("just written.jpg", Upload("e", "01"), SMALLEST), b"webp")
    assert harness.sweep(after=timedelta(minutes=50)) == Counts(photos=1, thumbnails=1 + len(SIZES))


def test_sweep_removes_what_belongs_to_no_photo(harness: SweepHarness, aws: MockedAws) -> None:
    for key in KEYS:
        aws.process(key, sequencer="02")
    aws.delete(KEYS[1])
    for key, sequencer in (("a.jpg", "01"), ("a.jpg", "03"), ("no item.jpg", "01")):
        aws.thumbnail_bucket.write(thumbnail_key(key, Upload("e", sequencer), SMALLEST), b"webp")
    counts = harness.sweep()
    assert counts == Counts(photos=2, thumbnails=2 * len(SIZES) + 3, removed_items=1, removed_thumbnails=len(SIZES) + 3)
    assert aws.items().keys() == {KEYS[0], KEYS[2]}
    aws.assert_consistent()


@pytest.mark.parametrize("moment", ["scan", "exists"])
@pytest.mark.parametrize("change", ["created", "replaced", "deleted", "uploaded again", "uploaded again unchanged"])
def test_sweep_keeps_changes_after_its_snapshot(
    harness: SweepHarness, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, moment: str, change: str
) -> None:
    """The change happens after the scan, or after the sweep found that a photo is gone."""
    for key in ("a.jpg", "b.jpg", "gone.jpg"):
        aws.process(key, sequencer="01")
    aws.delete("gone.jpg")
    if change.startswith("uploaded again"):
        aws.delete("a.jpg")
    states = []

    def change_a_photo() -> None:
        monkeypatch.undo()
        monkeypatch.setattr("moto.s3.models.utcnow", lambda: datetime.now(UTC) + timedelta(hours=3))
        if change == "deleted":
            aws.delete("a.jpg")
            aws.thumbnailer.process_deletion("a.jpg", "02")
        else:
            key = "c.jpg" if change == "created" else "a.jpg"
            aws.process(key, jpeg("red" if change.endswith("unchanged") else "blue"), sequencer="02")
        states.append(aws.items())

    scan, exists = aws.catalogue.scan, aws.originals.exists

    def scan_before_change() -> Iterator[list[Item]]:
        yield from scan()
        change_a_photo()

    def exists_before_change(key: str) -> bool:
        result = exists(key)
        change_a_photo()
        return result

    if moment == "scan":
        monkeypatch.setattr(aws.catalogue, "scan", scan_before_change)
    else:
        monkeypatch.setattr(aws.originals, "exists", exists_before_change)
    harness.sweep()
    harness.process_messages()
    (state,) = states
    state.pop("gone.jpg", None)
    assert aws.items() == state
    aws.assert_consistent()


def test_sweep_keeps_albums_reports_and_other_objects(harness: SweepHarness, aws: MockedAws) -> None:
    others = {"albums/abc/manifest.json", "albums/abc/pages/0000.jpg", "reports/2026-01-01.json", "x", f"{'0' * 32}/x"}
    for key in others:
        aws.s3.put_object(Bucket=THUMBNAILS, Key=key, Body=b"")
    assert harness.sweep(after=timedelta(days=400)) == Counts()
    assert aws.thumbnails().keys() == others


@pytest.mark.parametrize(("hours", "removed"), [(23, 0), (25, 1)])
def test_sweep_removes_uploads_that_were_abandoned_a_day_ago(
    harness: SweepHarness, aws: MockedAws, hours: int, removed: int
) -> None:
    aws.s3.create_multipart_upload(Bucket=ORIGINALS, Key="half.jpg")
    (upload,) = aws.s3.list_multipart_uploads(Bucket=ORIGINALS)["Uploads"]
    aws.catalogue.register("uploads/a.jpg", registered_at=upload["Initiated"])
    progress = Progress(upload["Initiated"] + timedelta(hours=hours))
    harness.sweeper.run(progress, lambda: True)
    assert progress.counts == Counts(removed_items=removed, aborted_uploads=removed)
    assert len(aws.items()) == 1 - removed
    assert len(aws.s3.list_multipart_uploads(Bucket=ORIGINALS).get("Uploads", [])) == 1 - removed


def prepare_repairs(aws: MockedAws, photos: int) -> None:
    """Create photos in every state, in turn: lost event, consistent, lost thumbnails, deleted, orphaned thumbnails."""
    for number in range(photos):
        key, upload = f"photo {number:05}.jpg", Upload("e", "01")
        if number % 5 in (0, 1, 2):
            upload = aws.upload(key, str(number).encode())
        thumbnails = {size: thumbnail_key(key, upload, size) for size in SIZES}
        if number % 5 in (1, 2, 3):
            aws.catalogue.set_ready(key, upload, uploaded_at=datetime.now(UTC), thumbnails=thumbnails)
        if number % 5 in (1, 3, 4):
            for thumbnail in thumbnails.values():
                aws.thumbnail_bucket.write(thumbnail, b"webp")


@pytest.mark.parametrize("count", [1, 2])
def test_concurrent_sweeps_resume_from_their_progress(
    harness: SweepHarness, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("photos.sweep._CHECK_TIME_EVERY", 10)
    photos = 75
    prepare_repairs(aws, photos)
    sweeps = [Progress(datetime.now(UTC) + timedelta(hours=2)) for _ in range(count)]
    runs = 0
    while any(progress.phase is not Phase.DONE for progress in sweeps):
        for number, before in enumerate(sweeps):
            # Each run receives the progress as JSON and never has time for a second step.
            progress = sweeps[number] = Progress.from_json(json.loads(json.dumps(before.to_json())))
            harness.sweeper.run(progress, lambda: False)
            moved = (progress.phase, progress.after) != (before.phase, before.after)
            assert moved or progress.phase is Phase.DONE, "a run makes progress"
            runs += 1
    fifth = photos // 5
    assert runs > 10
    if count == 1:
        assert progress.counts == Counts(
            photos=3 * fifth,
            thumbnails=2 * fifth * len(SIZES),  # without those of deleted photos, which phase 1 removed
            queued=2 * fifth,
            removed_items=fifth,
            removed_thumbnails=2 * fifth * len(SIZES),
        )
    assert {key for key, _ in harness.receive()} == {f"photo {n:05}.jpg" for n in range(photos) if n % 5 in (0, 2)}
    assert set(aws.items()) == {f"photo {number:05}.jpg" for number in range(photos) if number % 5 in (1, 2)}
    assert len(aws.thumbnails()) == fifth * len(SIZES)


@pytest.fixture
def one_item_per_page(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = aws.catalogue.scan
    monkeypatch.setattr(aws.catalogue, "scan", lambda: ([item] for page in scan() for item in page))


@pytest.mark.usefixtures("one_item_per_page")
def test_sweep_fails_when_it_cannot_read_the_catalogue_in_time(harness: SweepHarness, aws: MockedAws) -> None:
    for key in KEYS:
        aws.process(key)
    progress = Progress(datetime.now(UTC))
    with pytest.raises(CatalogueTooLarge, match="only time to read 1 items"):
        harness.sweeper.run(progress, lambda: False)
    assert progress == Progress(progress.started_at)


@pytest.mark.usefixtures("one_item_per_page")
@pytest.mark.parametrize("pages", [2, 3], ids=["while reading", "while sorting"])
def test_sweep_fails_when_the_catalogue_does_not_fit_on_the_disk(
    harness: SweepHarness, aws: MockedAws, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    class SmallDisk(Snapshot):
        def __init__(self) -> None:
            super().__init__()
            self._database.execute(f"PRAGMA max_page_count = {pages}")

    for number in range(4):
        aws.catalogue.register(f"{number}".zfill(900), registered_at=datetime.now(UTC))
    monkeypatch.setattr("photos.sweep.Snapshot", SmallDisk)
    with pytest.raises(CatalogueTooLarge, match="disk is full"):
        harness.sweep()
