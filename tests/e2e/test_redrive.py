"""`make redrive` in the deployed sandbox."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import (
    dead_letters,
    killed_thumbnail_function,
    missing_catalogue,
    run_redrive,
    short_visibility_timeout,
    start_sweep,
)
from tests.e2e.operate import run_operation
from tests.e2e.photos import uploaded_photo
from tests.e2e.programs import thumbnail_function


@pytest.fixture(autouse=True)
def empty_dead_letter_queues(sandbox: Sandbox) -> Iterator[None]:
    assert dead_letters(sandbox, "Thumbnails") == dead_letters(sandbox, "Cron") == 0
    yield
    for stack in ("Thumbnails", "Cron"):
        sandbox.client("sqs").purge_queue(QueueUrl=sandbox.outputs[stack]["DeadLetterQueueUrl"])


@pytest.mark.guarantee("Reports every failure")
def test_redrive_reports_a_poison_message_and_keeps_it(sandbox: Sandbox) -> None:
    uploads = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    with short_visibility_timeout(sandbox, seconds=2):
        sandbox.client("sqs").send_message(QueueUrl=uploads, MessageBody="not JSON")
        eventually(lambda: dead_letters(sandbox, "Thumbnails") == 1)
        run = run_redrive(sandbox)
    assert run.returncode == 1
    assert run.stderr.startswith("Messages that failed again: 1.")
    assert dead_letters(sandbox, "Thumbnails") == 1
    assert sandbox.queue_depth(uploads) == 0

    run = run_redrive(sandbox, "--inspect")
    assert (run.returncode, run.stderr) == (0, "")
    assert "not an S3 event: 'not JSON'" in run.stdout
    assert "JSONDecodeError: Expecting value" in run.stdout
    assert dead_letters(sandbox, "Thumbnails") == 1


@pytest.mark.guarantee("Reports every failure")
def test_redrive_processes_a_photo_whose_function_was_killed(sandbox: Sandbox) -> None:
    with ExitStack() as photo:
        with killed_thumbnail_function(sandbox) as injected:
            photo.enter_context(uploaded_photo(sandbox, "killed.jpg"))
        assert injected.kills > 0
        assert "ObjectCreated:Put 'killed.jpg'" in run_redrive(sandbox, "--inspect").stdout
        run = run_redrive(sandbox)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert run.stdout.endswith("Messages reprocessed: 1\n")


@pytest.mark.guarantee("Reports every failure")
def test_redrive_starts_failed_sweeps_again(sandbox: Sandbox) -> None:
    with missing_catalogue(sandbox, sandbox.outputs["Cron"]["SweepFunction"]):
        start_sweep(sandbox)
        eventually(lambda: dead_letters(sandbox, "Cron") == 1)
        # EventBridge Scheduler sends this if it cannot start the function (Scheduler guide, "Dead-letter queue").
        error = {"ERROR_CODE": "AWS.Scheduler.InternalServerError", "ERROR_MESSAGE": "Not today."}
        sandbox.client("sqs").send_message(
            QueueUrl=sandbox.outputs["Cron"]["DeadLetterQueueUrl"],
            MessageBody="{}",
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in error.items()},
        )
        inspection, run = run_redrive(sandbox, "--inspect"), run_redrive(sandbox)
        assert "Runtime.HandlerError: An error occurred (" in inspection.stdout
        assert "AWS.Scheduler.InternalServerError: Not today." in inspection.stdout
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.endswith("Messages reprocessed: 2\n")
        eventually(lambda: dead_letters(sandbox, "Cron") == 1)  # The one sweep for both messages failed again.
    run = run_redrive(sandbox)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    eventually(lambda: dead_letters(sandbox, "Cron") == 0)


@pytest.mark.guarantee("Reports every failure")
def test_logs_and_redrive_report_why_a_function_cannot_start(sandbox: Sandbox) -> None:
    function = thumbnail_function(sandbox).name
    with short_visibility_timeout(sandbox, seconds=2), missing_catalogue(sandbox, function, table=None):
        with uploaded_photo(sandbox, "not-started.jpg"):
            eventually(lambda: dead_letters(sandbox, "Thumbnails") == 1)
        reason = "[ERROR] Runtime.ImportModuleError: Unable to import 'thumbnail.handler.handler': 'CATALOGUE_TABLE'"
        assert reason in run_redrive(sandbox, "--inspect").stdout
        logs = run_operation(sandbox, "logs")
    assert (logs.returncode, logs.stderr) == (0, "")
    assert re.search(
        rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC  Thumbnails/Function +{re.escape(reason)}", logs.stdout, re.M
    )
