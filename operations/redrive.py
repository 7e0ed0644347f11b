"""Reprocesses the messages in the dead-letter queues.

SQS itself moves the messages of the upload queue back (message-move task). The sweep's dead-letter queue has no source
queue, because Lambda and EventBridge Scheduler write to it. Each of its messages starts the sweep again.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from operations.consumer import Function, Workers, find_consumer
from operations.errors import OperationError
from operations.outputs import NotDeployedError, stack_outputs

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sqs import SQSClient

_INTERVAL_SECONDS = 2
# Long polling queries all servers of SQS, so an empty response means that no message is left.
_POLL_SECONDS = 1
# SQS returns approximate counts, so a queue is drained only after several empty counts in a row.
_EMPTY_COUNTS = 5
# Hides the messages of the sweep from other consumers for longer than it takes to start the sweep for each.
_VISIBILITY_SECONDS = 120
# Allows the last attempt to end.
_MARGIN_SECONDS = 60


def redrive(session: boto3.Session, name: str) -> int:
    """Reprocess all messages, and wait until the uploads among them succeeded or failed again.

    Returns:
        The number of messages in the dead-letter queue of uploads afterwards. A sweep that fails again returns to its
        dead-letter queue later.

    Raises:
        NotDeployedError: The stack `Thumbnails` is not deployed.
        OperationError: Nothing consumes the upload queue, SQS did not move the messages, or the queue did not drain.
    """
    sqs, uploads = session.client("sqs"), stack_outputs(session, name, "Thumbnails")
    consumer = find_consumer(session, name, uploads["UploadQueueUrl"])
    if consumer is None:
        raise OperationError(
            f"Nothing consumes the upload queue of {name}: there is no thumbnail function and no stack Workers. "
            "Run `make deploy` first."
        )
    sweeps = _start_sweeps(session, name)
    moved = remaining = 0
    if queue_depth(sqs, uploads["DeadLetterQueueUrl"]):
        moved = _move_messages(sqs, uploads["DeadLetterQueueUrl"])
        print(f"Messages moved to the upload queue: {moved}. Waiting until they are processed …")
        if consumer.start_seconds:
            print(f"Workers start within {consumer.start_seconds / 60:.0f} minutes, if none runs.")
        _wait_until_drained(sqs, uploads["UploadQueueUrl"], consumer)
        remaining = queue_depth(sqs, uploads["DeadLetterQueueUrl"])
    else:
        print_queue(sqs, "upload queue", uploads["UploadQueueUrl"])
    print(f"Messages reprocessed: {moved + sweeps}" if moved or sweeps else "The dead-letter queues are empty.")
    return remaining


def queue_depth(sqs: SQSClient, url: str) -> int:
    """Return the approximate number of messages in a queue, including those in flight."""
    return sum(_message_counts(sqs, url))


def print_queue(sqs: SQSClient, what: str, url: str) -> None:
    """Print how many messages a queue holds, if any. A failed message stays in flight until its retry."""
    waiting, in_flight = _message_counts(sqs, url)
    if waiting or in_flight:
        print(
            f"Messages in the {what}: {waiting} waiting, {in_flight} in flight (in processing, or before a retry: "
            "`make logs` prints the reason)"
        )


def _message_counts(sqs: SQSClient, url: str) -> tuple[int, int]:
    """Return the approximate numbers of waiting messages (visible or delayed) and of messages in flight."""
    names: Any = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "Delayed", "NotVisible")]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    visible, delayed, in_flight = (int(counts[name]) for name in names)
    return visible + delayed, in_flight


def sweep_progress(body: str) -> dict[str, Any]:
    """Return the event that continues the sweep of this message: its progress, or an empty dict.

    Lambda wraps the event of a failed invocation; EventBridge Scheduler stores the event that it could not deliver.
    """
    try:
        content = json.loads(body)
        event = content.get("requestPayload", content)
        return {"progress": event["progress"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _start_sweeps(session: boto3.Session, name: str) -> int:
    """Start one sweep for each distinct event in the messages. Return the number of messages."""
    try:
        outputs = stack_outputs(session, name, "Cron")
    except NotDeployedError:  # Thumbnails can be deployed without Cron.
        return 0
    sqs, functions = session.client("sqs"), session.client("lambda")
    # Receive all messages first, so that a sweep that fails again at once is not started twice.
    messages: dict[str, Any] = {}
    while received := sqs.receive_message(
        QueueUrl=outputs["DeadLetterQueueUrl"],
        MaxNumberOfMessages=10,
        VisibilityTimeout=_VISIBILITY_SECONDS,
        WaitTimeSeconds=_POLL_SECONDS,
    ).get("Messages", []):
        messages |= {message["MessageId"]: message for message in received}
    started = set()
    for message in messages.values():
        event = json.dumps(sweep_progress(message["Body"]))
        if event not in started:
            functions.invoke(FunctionName=outputs["SweepFunction"], InvocationType="Event", Payload=event)
            print(f"Started the sweep with {event}.")
            started.add(event)
        sqs.delete_message(QueueUrl=outputs["DeadLetterQueueUrl"], ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


def _move_messages(sqs: SQSClient, url: str) -> int:
    """Move all messages to the queue that they come from. Return their number."""
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.start_message_move_task(SourceArn=arn)
    while (task := sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"][0])["Status"] == "RUNNING":
        time.sleep(_INTERVAL_SECONDS)
    if task["Status"] != "COMPLETED":
        reason = task.get("FailureReason", "no reason given")
        raise OperationError(f"The message-move task of {arn} is {task['Status']}: {reason}")
    return task["ApproximateNumberOfMessagesMoved"]


def _wait_until_drained(sqs: SQSClient, url: str, consumer: Function | Workers) -> None:
    """Wait until each message is processed or back in the dead-letter queue: all attempts, one timeout each.

    Prints the number of workers when it changes.
    """
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"])["Attributes"]
    attempts = int(json.loads(queue["RedrivePolicy"])["maxReceiveCount"])
    seconds = attempts * int(queue["VisibilityTimeout"]) + _MARGIN_SECONDS + consumer.start_seconds
    deadline = time.monotonic() + seconds
    empty_counts, printed = 0, ""
    while empty_counts < _EMPTY_COUNTS:
        if (status := consumer.status) != printed:
            print(status)
            printed = status
        if time.monotonic() > deadline:
            raise OperationError(f"The upload queue is not empty after {seconds / 60:.0f} minutes. No message is lost.")
        time.sleep(_INTERVAL_SECONDS)
        empty_counts = 0 if queue_depth(sqs, url) else empty_counts + 1
