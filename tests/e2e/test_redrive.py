"""`make redrive` in the deployed sandbox: every dead letter has a reason, and none goes in a circle."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import (
    killed_thumbnail_function,
    missing_catalogue,
    run_redrive,
    short_visibility_timeout,
    start_sweep,
    uploaded_photo,
    waiting,
)


@pytest.fixture(autouse=True)
def no_letters_before_or_after(sandbox: Sandbox) -> Iterator[None]:
    """What is dead in one test is not found by another."""
    assert waiting(sandbox, "Thumbnails") == waiting(sandbox, "Cron") == 0
    yield
    for stack in ("Thumbnails", "Cron"):
        sandbox.client("sqs").purge_queue(QueueUrl=sandbox.outputs[stack]["DeadLetterQueueUrl"])


def test_nothing_is_dead(sandbox: Sandbox) -> None:
    run = run_redrive(sandbox)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith("The dead-letter queues are empty.\n")


@pytest.mark.guarantee("Reports every failure")
def test_poison_ends_with_a_reason_and_not_in_a_circle(sandbox: Sandbox) -> None:
    uploads = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    with short_visibility_timeout(sandbox, seconds=2):
        sandbox.client("sqs").send_message(QueueUrl=uploads, MessageBody="no JSON")
        eventually(lambda: waiting(sandbox, "Thumbnails") == 1)
        run = run_redrive(sandbox)
    assert run.returncode == 1
    assert run.stdout.count("No event of S3: 'no JSON'") == 2, run.stdout
    assert "came back: JSONDecodeError: Expecting value" in run.stdout
    assert run.stderr.startswith("1 are left, for the reasons above. Mend the cause")
    assert (waiting(sandbox, "Thumbnails"), waiting(sandbox, "Thumbnails", "UploadQueueUrl")) == (1, 0)

    run = run_redrive(sandbox)
    assert run.returncode == 1
    assert "It was sent again before, and came back." in run.stdout
    assert run.stdout.endswith("0 dead letters sent again.\n")

    run = run_redrive(sandbox, "--discard")
    assert (run.returncode, run.stderr) == (0, "")
    assert waiting(sandbox, "Thumbnails") == 0


@pytest.mark.guarantee("Reports every failure")
def test_a_photo_whose_function_was_killed_is_ready_after_all(sandbox: Sandbox) -> None:
    with ExitStack() as photo:
        with killed_thumbnail_function(sandbox) as injected:
            photo.enter_context(uploaded_photo(sandbox, "killed.jpg"))
        kills = injected.kills
        run = run_redrive(sandbox)
        assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "Nothing in the log: the function was ended before it could say why" in run.stdout
    assert "ObjectCreated:Put of 'killed.jpg': ready" in run.stdout
    assert run.stdout.endswith("1 dead letters sent again.\n")
    assert kills > 0


@pytest.mark.guarantee("Reports every failure")
def test_a_sweep_that_failed_runs_again_once_it_can(sandbox: Sandbox) -> None:
    with missing_catalogue(sandbox, sandbox.outputs["Cron"]["SweepFunction"]):
        start_sweep(sandbox)
        eventually(lambda: waiting(sandbox, "Cron") == 1)
        # What EventBridge Scheduler leaves when it cannot start the function (Scheduler guide, "Dead-letter queue").
        error = {"ERROR_CODE": "AWS.Scheduler.InternalServerError", "ERROR_MESSAGE": "Not today."}
        sandbox.client("sqs").send_message(
            QueueUrl=sandbox.outputs["Cron"]["DeadLetterQueueUrl"],
            MessageBody="{}",
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in error.items()},
        )
        run = run_redrive(sandbox)
        assert run.returncode == 1
        assert "It failed (RetriesExhausted). Runtime.HandlerError: An error occurred (" in run.stdout, run.stdout
        assert "It could not be started. AWS.Scheduler.InternalServerError: Not today." in run.stdout
        assert run.stdout.count("It failed again:") == 1, "one run answers both"
        assert waiting(sandbox, "Cron") == 2
    run = run_redrive(sandbox)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert run.stdout.count("It is done: photos ") == 1
    assert run.stdout.endswith("2 dead letters sent again.\n")
    assert waiting(sandbox, "Cron") == 0
