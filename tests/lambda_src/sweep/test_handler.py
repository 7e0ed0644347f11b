"""The sweep function: resumes in another invocation when it is out of time, and publishes the result."""

import json
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from types import ModuleType
from typing import Any, TypeVar

import boto3
import pytest

from photos.catalogue import Catalogue, Item, State
from photos.event_ordering import Upload
from photos.keys import thumbnail_key
from photos.limits import SIZES
from photos.storage import ObjectSummary, Originals, Thumbnails
from photos.sweep import Counts, Sweep
from photos.upload_queue import UploadQueue
from tests.lambda_src.mocked_aws import CATALOGUE, LambdaContext, MockedAws, jpeg, load_function

Entry = TypeVar("Entry")

NO_TIME = LambdaContext(seconds=1)


@pytest.fixture
def queue(aws: MockedAws) -> str:
    return boto3.client("sqs").create_queue(QueueName="uploads")["QueueUrl"]


@pytest.fixture
def sweep(queue: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load_function(monkeypatch, "sweep", UPLOAD_QUEUE_URL=queue)


@pytest.fixture
def invocations(sweep: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The invocations that the function requested."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(sweep._lambda, "invoke", lambda **arguments: calls.append(arguments))
    return calls


def test_sweep_writes_a_daily_report_and_emits_metrics(
    sweep: ModuleType, aws: MockedAws, invocations: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.put("a.jpg", jpeg())
    sweep.handler({}, LambdaContext())
    (name,) = aws.thumbnails()
    assert name == f"reports/{datetime.now(UTC).date().isoformat()}.json"
    report = json.loads(aws.thumbnails()[name])
    assert (report["photos"], report["queued"], report["runs"]) == (1, 0, 1)
    assert report["started_at"] <= report["finished_at"]
    assert invocations == []
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["FunctionName"] == LambdaContext.function_name
    assert {"photos", "queued", "removed_items"} <= {metric["Name"] for metric in directive["Metrics"]}
    assert all(isinstance(line[metric["Name"]], int) for metric in directive["Metrics"])
    assert len(directive["Metrics"]) <= 10, "the free tier of CloudWatch"
    assert abs(line["_aws"]["Timestamp"] / 1000 - datetime.now(UTC).timestamp()) < 60


def test_sweep_invokes_itself_until_it_is_done(
    sweep: ModuleType, aws: MockedAws, invocations: list[dict[str, Any]]
) -> None:
    for number in range(450):
        aws.put(f"{number}.jpg", b"x")
    event: dict[str, Any] = {}
    for _ in range(20):
        invocations.clear()
        progress = sweep.handler(event, NO_TIME)
        if not invocations:
            break
        assert aws.thumbnails() == {}, "no report before the end"
        (call,) = invocations
        assert (call["FunctionName"], call["InvocationType"]) == (LambdaContext.function_name, "Event")
        event = json.loads(call["Payload"])
    assert (progress["phase"], progress["counts"]["photos"], progress["runs"]) == ("done", 450, 5)
    assert len(aws.thumbnails()) == 1


def test_retried_run_resumes_where_it_started(
    sweep: ModuleType, aws: MockedAws, invocations: list[dict[str, Any]]
) -> None:
    aws.put("a.jpg", b"x")
    first = {"progress": sweep.handler({}, NO_TIME)}
    assert first["progress"]["phase"] == "thumbnails"
    results = [sweep.handler(json.loads(json.dumps(first)), LambdaContext()) for _ in range(2)]
    assert results[0]["counts"] == results[1]["counts"]
    assert results[0]["counts"]["photos"] == 1


def test_error_propagates_so_that_lambda_retries(sweep: ModuleType, aws: MockedAws) -> None:
    aws.thumbnail_bucket.write(thumbnail_key("a.jpg", Upload("e", "1"), SIZES[0]), b"")
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        sweep.handler({}, LambdaContext())
    assert not any(key.startswith("reports/") for key in aws.thumbnails())


class SlowContext(LambdaContext):
    """A context whose clock advances with each page that a listing returns."""

    def read_pages(self, entries: Iterator[Entry], *, size: int, seconds: int) -> Iterator[list[Entry]]:
        """Divide entries into pages, each of which takes this long."""
        while page := [*islice(entries, size)]:
            self._milliseconds -= seconds * 1000
            yield page


class Listings(Catalogue, Originals, Thumbnails):
    """Listings of many photos, all consistent, whose keys and ids are equal."""

    def __init__(self, photos: int, object_keys: Sequence[str]) -> None:
        self._photos, self._object_keys = photos, sorted(object_keys)
        self._now = datetime.now(UTC)
        self.context = SlowContext()

    def scan(self) -> Iterator[list[Item]]:
        ids = (f"{number:032x}" for number in reversed(range(self._photos)))
        items = (
            Item(it, it, State.READY, self._now, "e", "1", {size: f"{it}/1-e/{size}.webp" for size in SIZES})
            for it in ids
        )
        return self.context.read_pages(items, size=2_000, seconds=4)

    def list_objects(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectSummary]:
        ids = (f"{number:032x}" for number in range(int(after[:32], 16) + 1 if after else 0, self._photos))
        objects = (ObjectSummary(key.format(it), "e", self._now) for it in ids for key in self._object_keys)
        for page in self.context.read_pages(objects, size=1_000, seconds=8):
            yield from page


@pytest.mark.slow
def test_large_sweep_continues_before_its_timeout_within_its_memory(
    sweep: ModuleType, invocations: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(photos: int) -> int:
        """Sweep this number of photos. Returns the peak of allocated memory, in bytes."""
        originals = Listings(photos, ["{}"])
        thumbnails = Listings(photos, [f"{{}}/1-e/{size}.webp" for size in SIZES])
        monkeypatch.setattr(sweep, "_sweep", Sweep(originals, thumbnails, originals, UploadQueue(sweep._lambda, "")))
        monkeypatch.setattr(originals, "abort_multipart_uploads", lambda before: iter(()))
        event: dict[str, Any] = {}
        tracemalloc.start()
        while True:
            originals.context = thumbnails.context = context = SlowContext()
            invocations.clear()
            progress = sweep.handler(event, context)
            assert context.get_remaining_time_in_millis() > 0, "Lambda would have stopped this invocation"
            if not invocations:
                break
            event = json.loads(invocations[0]["Payload"])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert progress["counts"] == asdict(Counts(photos=photos, thumbnails=photos * len(SIZES)))
        assert (progress["runs"] > 2) == (photos == 100_000)
        return peak

    assert run(100_000) < run(5_000) + 1_000_000
