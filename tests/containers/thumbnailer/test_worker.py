"""The worker: what it does with messages that succeed, fail, take long, or hang, and when it is stopped."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from threading import Barrier
from time import monotonic, sleep
from typing import Any

import pytest

from stacks.support.build_context import build_context
from tests.containers.test_dockerfiles import CONTAINERS, instructions
from tests.containers.thumbnailer.running_worker import Uploads
from tests.lambda_src.crash_injection import crash_at
from tests.lambda_src.mocked_aws import MockedAws, jpeg
from thumbnail.messages import THREADS, Message, MessageProcessor
from thumbnailer import worker

# Long enough that it only ends a test that fails.
_PATIENCE_SECONDS = 20


def upload(aws: MockedAws, key: str, body: bytes | None = None) -> dict[str, Any]:
    """Put an original. Returns its S3 event."""
    s3_object = {"key": key, "eTag": aws.put(key, jpeg() if body is None else body), "sequencer": "01"}
    return {"eventName": "ObjectCreated:Put", "s3": {"object": s3_object}}


def record_calls(processor: MessageProcessor, monkeypatch: pytest.MonkeyPatch, method: str) -> list[dict[str, Any]]:
    """Record the calls of a method of the client of SQS, which are still made."""
    calls: list[dict[str, Any]] = []
    call = getattr(processor.sqs, method)

    def record(**arguments: Any) -> Any:
        calls.append(arguments)
        return call(**arguments)

    monkeypatch.setattr(processor.sqs, method, record)
    return calls


def stop_worker() -> None:
    """Send SIGTERM to the worker, and a second time, which changes nothing."""
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(autouse=True)
def exits(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, tuple[int, int]]]:
    """Exit statuses of the worker, with the numbers of visible and of invisible messages. The process goes on."""
    exits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(os, "_exit", lambda status: exits.append((status, uploads.count())))
    return exits


def test_processed_messages_are_deleted(
    uploads: Uploads, processor: MessageProcessor, aws: MockedAws, caplog: pytest.LogCaptureFixture
) -> None:
    uploads.send_events(*(upload(aws, f"{number}.jpg") for number in range(7)), upload(aws, "text.jpg", b"text"))
    with caplog.at_level("INFO", logger="thumbnail"):
        uploads.run_worker(processor)
    assert uploads.count() == (0, 0)
    assert [item["state"] for _, item in sorted(aws.items().items())] == ["ready"] * 7 + ["rejected"]
    outcomes = [re.sub("^Message [0-9a-f-]{36} ", "", message) for message in caplog.messages]
    assert "processed: ready, '0.jpg' (ObjectCreated:Put)" in outcomes
    assert "processed: rejected, 'text.jpg' (ObjectCreated:Put)" in outcomes
    aws.assert_consistent()


@pytest.mark.guarantee("Loses no photo")
def test_failed_message_returns_after_the_delay_of_its_attempt(
    uploads: Uploads, processor: MessageProcessor, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RETRY_SECONDS is "5 30". Later, SQS moves the message to the dead-letter queue when it is visible again."""
    calls = record_calls(processor, monkeypatch, "change_message_visibility")
    uploads.send("no JSON")
    uploads.send_events(upload(aws, "good.jpg"))
    for _ in range(2):
        uploads.run_worker(processor)
        assert uploads.count() == (0, 1)
        uploads.end_visibility_timeouts()
    assert [call["VisibilityTimeout"] for call in calls] == [5, 30]
    assert aws.items().keys() == {"good.jpg"}


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.slow
def test_worker_that_is_stopped_at_any_call_finishes_or_returns_every_message(
    uploads: Uploads, processor: MessageProcessor, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = upload(aws, "a.jpg")
    start_next = worker.Worker._start_next

    def start_unless_stopped(running: worker.Worker) -> Message | None:
        stopped = running._stopping
        message = start_next(running)
        assert not (stopped and message), "the worker starts no message after the signal"
        return message

    monkeypatch.setattr(worker.Worker, "_start_next", start_unless_stopped)

    def run(point: int | None) -> int:
        uploads.send_events(event, event, event)
        with crash_at(monkeypatch, point, stop_worker) as injector:
            uploads.run_worker(processor, until_empty=point is None)
        assert uploads.count()[1] == 0, point
        uploads.run_worker(processor)
        assert uploads.count() == (0, 0)
        return injector.points

    points = run(None)
    for point in range(points):
        run(point)
    aws.assert_consistent()


def process_slowly(
    processor: MessageProcessor,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[], bool],
    *,
    start: Callable[[], object] = lambda: None,
) -> None:
    """Let the processing of each message start with an action, and take until a condition is true."""

    def process(_message: Message) -> bool:
        start()
        deadline = monotonic() + _PATIENCE_SECONDS
        while not until():
            assert monotonic() < deadline
            sleep(0.01)
        return True

    monkeypatch.setattr(processor, "process", process)


@pytest.mark.guarantee("Loses no photo")
def test_heartbeat_extends_all_messages_of_the_worker_while_a_photo_is_in_progress(
    uploads: Uploads, processor: MessageProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats = record_calls(processor, monkeypatch, "change_message_visibility_batch")
    process_slowly(processor, monkeypatch, lambda: len(heartbeats) >= 3)
    monkeypatch.setattr(worker, "_HEARTBEAT_SECONDS", 0.01)
    uploads.send("1", "2", "3", "4", "5")
    uploads.run_worker(processor)
    for heartbeat in heartbeats[:3]:
        assert len({entry["ReceiptHandle"] for entry in heartbeat["Entries"]}) == 5
        assert {entry["VisibilityTimeout"] for entry in heartbeat["Entries"]} == {60}
    assert uploads.count() == (0, 0)


def test_worker_goes_on_when_a_heartbeat_fails(
    uploads: Uploads,
    processor: MessageProcessor,
    monkeypatch: pytest.MonkeyPatch,
    exits: list[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    process_slowly(processor, monkeypatch, lambda: len(caplog.messages) >= 3)
    monkeypatch.setattr(worker, "_HEARTBEAT_SECONDS", 0.01)
    client_error = processor.sqs.exceptions.ClientError({"Error": {"Code": "ThrottlingException"}}, "AnyCall")
    results = iter([client_error, {"Failed": [{"Id": "0", "Message": "unknown receipt"}]}])

    def fail(**_arguments: Any) -> Any:
        result = next(results, client_error)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(processor.sqs, "change_message_visibility_batch", fail)
    uploads.send("1")
    uploads.run_worker(processor)
    assert (uploads.count(), exits) == ((0, 0), [])


def test_messages_that_are_not_started_return_at_once_when_the_worker_is_stopped(
    uploads: Uploads, processor: MessageProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_started = Barrier(THREADS, timeout=_PATIENCE_SECONDS)

    def stop() -> bool:
        stop_worker()
        return uploads.count()[0] == 2

    process_slowly(processor, monkeypatch, stop, start=all_started.wait)
    uploads.send(*"12345")
    uploads.run_worker(processor, until_empty=False)
    assert uploads.count() == (2, 0)


def test_message_that_takes_too_long_returns_when_the_worker_is_stopped(
    uploads: Uploads, processor: MessageProcessor, monkeypatch: pytest.MonkeyPatch, exits: list[Any]
) -> None:
    def stop() -> bool:
        stop_worker()
        return bool(exits)

    process_slowly(processor, monkeypatch, stop)
    monkeypatch.setattr(worker, "_STOP_SECONDS", 0.1)
    uploads.send("1", "2", "3")
    uploads.run_worker(processor, until_empty=False)
    assert exits == [(0, (3, 0))]


def test_message_that_hangs_ends_the_worker_and_returns_the_others(
    uploads: Uploads, processor: MessageProcessor, monkeypatch: pytest.MonkeyPatch, exits: list[Any]
) -> None:
    """Time passes when a message starts. When the third one does, only the first one has taken too long."""
    process_slowly(processor, monkeypatch, lambda: bool(exits))
    wait, started = processor.process, list[str]()

    def process(message: Message) -> bool:
        started.append(message.body)
        return message.body == "2" or wait(message)

    monkeypatch.setattr(processor, "process", process)
    monkeypatch.setattr(worker, "monotonic", lambda: len(started) * worker._HUNG_SECONDS * 0.45)
    monkeypatch.setattr(worker, "_HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(worker, "THREADS", 2)
    uploads.send("1", "2", "3", "4")
    uploads.run_worker(processor)
    assert exits[0] == (1, (2, 1))


def test_worker_whose_supervisor_fails_ends(
    uploads: Uploads, processor: MessageProcessor, monkeypatch: pytest.MonkeyPatch, exits: list[Any]
) -> None:
    def fail(**_arguments: Any) -> None:
        raise RuntimeError

    process_slowly(processor, monkeypatch, lambda: bool(exits))
    monkeypatch.setattr(worker, "_HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(processor.sqs, "change_message_visibility_batch", fail)
    uploads.send("1")
    uploads.run_worker(processor)
    assert exits == [(1, (0, 1))]


def test_worker_ends_when_it_cannot_receive(uploads: Uploads, processor: MessageProcessor) -> None:
    processor.queue_url += "-deleted"
    with pytest.raises(processor.sqs.exceptions.ClientError):
        uploads.run_worker(processor)


def test_image_contains_all_modules_and_missing_variables_are_named() -> None:
    """The program starts in the folder that the image is built from, where it cannot import from the repository."""
    command = [sys.executable, "-m", "thumbnailer.worker"]
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "RETRY_SECONDS": "5"}
    ended = subprocess.run(
        command, cwd=build_context("thumbnailer"), env=environment, capture_output=True, text=True, timeout=60
    )
    names = "ORIGINALS_BUCKET, THUMBNAILS_BUCKET, CATALOGUE_TABLE, UPLOAD_QUEUE_URL"
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"Missing environment variables: {names}\n"


def test_image_keeps_the_botocore_models_of_all_called_services() -> None:
    sources = "".join(file.read_text() for file in build_context("thumbnailer").rglob("*.py"))
    called = set(re.findall(r'create_client\("([a-z0-9-]+)"', sources))
    (install,) = (
        command for command in instructions(CONTAINERS / "thumbnailer" / "Dockerfile", "RUN") if "pip" in command
    )
    assert called == set(re.findall(r"-not -name ([a-z0-9-]+)", install))
