"""Probes of the thumbnail function, and of its event source mapping, which reads the queue with the same role."""

import json
from typing import Any
from uuid import uuid4

from tests.permissions.probe import PREFIX, ProbeFailed, Trial, probe


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
    queue = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    trial.cleanup.callback(sandbox.client("sqs").purge_queue, QueueUrl=queue)
    sandbox.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    trial.wait_until(
        "second attempt in the log",
        lambda: sum(f"Body: {body}" in line for line in sandbox.log_lines("Thumbnails")) >= 2,
    )


def _ready_photo(trial: Trial) -> str:
    key = trial.context.put_photo()
    trial.wait_until("photo is ready", lambda: trial.context.item(key).get("state") == "ready")
    return key


def _send_stale_event(trial: Trial, key: str) -> None:
    """Invoke the function with an old event. Raises ProbeFailed if the function requests a retry."""
    upload = {"key": key, "eTag": "0" * 32, "sequencer": "00"}
    notification: dict[str, Any] = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": upload}}]}
    event = {"Records": [{"messageId": "stale", "body": json.dumps(notification)}]}
    function = trial.context.resources.physical_id("Thumbnails/Function")
    if failures := trial.context.invoke(function, event)["batchItemFailures"]:
        raise ProbeFailed(f"the function reports failures: {failures}")
