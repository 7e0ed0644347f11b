"""Probes of what consumes the upload queue: the function with its event source mapping, which reads the queue with the
same role, or the workers."""

import json
from typing import Any
from uuid import uuid4

from tests.permissions.probe import PREFIX, Trial, probe


@probe
def creates_thumbnails(trial: Trial) -> None:
    """Create the thumbnails of an uploaded photo."""
    _ready_photo(trial)


@probe
def deletes_thumbnails(trial: Trial) -> None:
    """Delete the thumbnails and the catalogue item of a deleted photo."""
    context, key = trial.context, _ready_photo(trial)
    thumbnails = context.item(key)["thumbnails"].values()
    context.s3.delete_object(Bucket=context.originals, Key=key)
    trial.wait_until("catalogue item is deleted", lambda: not context.item(key))
    trial.wait_until("thumbnails are deleted", lambda: not any(map(context.object_exists, thumbnails)))


@probe
def discards_event_of_replaced_upload(trial: Trial) -> None:
    """Discard the event of an upload that a newer upload has replaced."""
    _send_stale_event(trial, trial.context.photo)


@probe
def discards_event_of_deleted_photo(trial: Trial) -> None:
    """Discard the event of a photo that no longer exists."""
    _send_stale_event(trial, f"{PREFIX}{uuid4().hex}.png")


@probe
def retries_failed_event(trial: Trial) -> None:
    """Process a failed event again after seconds."""
    sandbox, body = trial.context.sandbox, f"not JSON {uuid4().hex}"
    stack = "Workers" if "Workers" in sandbox.outputs else "Thumbnails"
    queue = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    trial.cleanup.callback(sandbox.client("sqs").purge_queue, QueueUrl=queue)
    sandbox.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    trial.wait_until(
        "second attempt in the log",
        lambda: sum(f"Body: {body}" in line for line in sandbox.log_lines(stack)) >= 2,
    )


def _ready_photo(trial: Trial) -> str:
    key = trial.context.put_photo()
    trial.wait_until("photo is ready", lambda: trial.context.item(key).get("state") == "ready")
    return key


def _send_stale_event(trial: Trial, key: str) -> None:
    """Send an old event to the queue, and wait until it is processed."""
    sandbox = trial.context.sandbox
    upload = {"key": key, "eTag": "0" * 32, "sequencer": "00"}
    notification: dict[str, Any] = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": upload}}]}
    queue = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    sandbox.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(notification))
    trial.wait_until("event is processed", lambda: not sandbox.queue_depth(queue))
