"""Lambda function `thumbnail`: S3 events from the upload queue → thumbnails and catalogue.

Only translates events; what happens to a photo is in `photos/thumbnails.py`.
"""

import json
import logging
import os
from typing import Any, Protocol
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config

from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.imaging import MAX_SECONDS
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Outcome, Thumbnailer

# Lambda has configured the root logger already; elsewhere this makes the lines visible.
logging.basicConfig()
log = logging.getLogger("thumbnail")
log.setLevel(logging.INFO)

# Short, because the queue tries again later and better than a client that waits.
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})

# What a photo needs at most, by the clock and with S3's answers; a record begun with less left would take the whole
# batch down with it.
_MILLISECONDS_PER_PHOTO = (2 * MAX_SECONDS + 5) * 1_000

_s3 = boto3.client("s3", config=_CONFIG)
_thumbnailer = Thumbnailer(
    Originals(_s3, os.environ["ORIGINALS_BUCKET"]),
    Thumbnails(_s3, os.environ["THUMBNAILS_BUCKET"]),
    Catalogue(boto3.client("dynamodb", config=_CONFIG), os.environ["CATALOGUE_TABLE"]),
)


class Context(Protocol):
    """What is used of the context that Lambda passes."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation."""


def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Handle a batch of SQS messages. Those it names in its answer stay in the queue and come again."""
    failed = []
    for message in event["Records"]:
        try:
            if context.get_remaining_time_in_millis() < _MILLISECONDS_PER_PHOTO:
                raise TimeoutError("no time left in this batch")
            outcomes = _handle(json.loads(message["body"]))
            log.info("Message %s is done: %s", message["messageId"], outcomes)
        except Exception as error:
            why = f"{type(error).__name__}: {error}. It says: {message['body']}"
            log.exception("Message %s failed and will be tried again: %s", message["messageId"], why)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def _handle(notification: dict[str, Any]) -> str:
    # S3 sends one test message without records when a notification is set up.
    outcomes = []
    for record in notification.get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        outcome = _outcome(record["eventName"], key, record["s3"]["object"])
        outcomes.append(f"{outcome}, {key!r} ({record['eventName']})")
    return "; ".join(outcomes) or "nothing to do"


def _outcome(event_name: str, key: str, s3_object: dict[str, Any]) -> Outcome:
    if event_name.startswith("ObjectRemoved:"):
        return _thumbnailer.deleted(key, s3_object["sequencer"])
    if event_name.startswith("ObjectCreated:"):
        return _thumbnailer.uploaded(key, Upload(s3_object["eTag"], s3_object["sequencer"]))
    raise ValueError(f"unknown event {event_name}")
