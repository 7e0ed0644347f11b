"""Shows the messages in the dead-letter queues and why they failed. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from operations.consumer import find_consumer
from operations.outputs import NotDeployedError, stack_outputs
from operations.redrive import print_queue, queue_depth, sweep_progress

if TYPE_CHECKING:
    import boto3

# The maximum number of messages in one SQS response. Further messages are not shown.
_SHOWN = 10


def inspect(session: boto3.Session, name: str) -> None:
    """Print up to ten messages of each dead-letter queue, with the reason for each.

    Raises:
        NotDeployedError: The stack `Thumbnails` is not deployed.
    """
    uploads = stack_outputs(session, name, "Thumbnails")
    print_queue(session.client("sqs"), "upload queue", uploads["UploadQueueUrl"])
    _show(
        session, "uploads", uploads["DeadLetterQueueUrl"], _upload_describer(session, name, uploads["UploadQueueUrl"])
    )
    try:
        sweeps = stack_outputs(session, name, "Cron")
    except NotDeployedError:  # Thumbnails can be deployed without Cron.
        return
    _show(session, "sweeps", sweeps["DeadLetterQueueUrl"], _describe_sweep)


def _show(session: boto3.Session, what: str, url: str, describe: Callable[[Mapping[str, Any]], str]) -> None:
    sqs = session.client("sqs")
    print(f"Messages in the dead-letter queue of {what}: {queue_depth(sqs, url)}")
    received = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=_SHOWN,
        VisibilityTimeout=0,  # The messages stay visible: the alarm counts visible messages.
        WaitTimeSeconds=1,  # Long polling queries all servers of SQS.
        MessageSystemAttributeNames=["SentTimestamp"],
        MessageAttributeNames=["All"],
    )
    for message in received.get("Messages", []):
        sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
        print(f"  {sent_at:%Y-%m-%d %H:%M:%S} UTC  {describe(message)}")


def _upload_describer(session: boto3.Session, name: str, queue_url: str) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that describes a message by its photo and by the last log line that contains its message id."""
    consumer = find_consumer(session, name, queue_url)
    if consumer is None:
        return lambda message: f"{_photo(message['Body'])}\n      the log is deleted: nothing consumes the upload queue"
    group = consumer.log_group
    # Each kind of compute has its own log group, which is deleted with it.
    unknown = f"not in {group}: the {consumer.kind} timed out or ran out of memory, or other compute failed before"
    logs = session.client("logs").get_paginator("filter_log_events")

    def last_line(text: str, since: int, start: str = "") -> str:
        pages = logs.paginate(logGroupName=group, filterPattern=f'"{text}"', startTime=since)
        lines = [event["message"] for page in pages for event in page["events"] if event["message"].startswith(start)]
        return lines[-1].strip()[:1000] if lines else ""

    def describe(message: Mapping[str, Any]) -> str:
        since = int(message["Attributes"]["SentTimestamp"])
        # A function that cannot start logs no message id, but Lambda logs the reason in this form.
        reason = last_line(message["MessageId"], since) or last_line("ERROR", since, start="[ERROR] ") or unknown
        return f"{_photo(message['Body'])}\n      {reason}"

    return describe


def _photo(body: str) -> str:
    try:
        (record,) = json.loads(body)["Records"]
        return f"{record['eventName']} {unquote_plus(record['s3']['object']['key'])!r}"
    except (ValueError, KeyError, TypeError):
        return f"not an S3 event: {body[:200]!r}"


def _describe_sweep(message: Mapping[str, Any]) -> str:
    """Describe a message by its progress and by the error of Lambda (in the body) or of Scheduler (in attributes)."""
    try:
        error = json.loads(message["Body"])["responsePayload"]
        reason = f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        attributes = message.get("MessageAttributes", {})
        texts = [attributes[name]["StringValue"] for name in ("ERROR_CODE", "ERROR_MESSAGE") if name in attributes]
        reason = ": ".join(texts) or "no reason recorded"
    return f"sweep {sweep_progress(message['Body']) or 'from its beginning'}\n      {reason}"
