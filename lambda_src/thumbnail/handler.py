"""The Lambda function `thumbnail`: translates S3 events from the upload queue into calls of the thumbnailer.

`photos/thumbnails.py` implements the thumbnailer.
"""

import json
import logging
import os
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_plus

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from photos.catalogue import Catalogue
from photos.decoder_process import DecoderProcess
from photos.event_ordering import Upload
from photos.limits import MAX_ELAPSED_SECONDS
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Outcome, Thumbnailer

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Lambda configures the root logger. This line is for other environments.
logging.basicConfig()
log = logging.getLogger("thumbnail")
log.setLevel(logging.INFO)

# Short timeouts and few attempts, because the queue retries later.
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})

# Seconds until the next attempt after the first, second, … failure of a message. Otherwise, SQS would wait for the
# visibility timeout of the queue.
_RETRY_SECONDS = [int(seconds) for seconds in os.environ["RETRY_SECONDS"].split()]

# Maximum elapsed time of a photo, including the calls to S3. A photo that starts with less time left could make the
# whole batch time out.
_MILLISECONDS_PER_PHOTO = (MAX_ELAPSED_SECONDS + 5) * 1_000

_session = get_session()


def _client(service: str) -> Any:
    """Create a client without boto3, which adds the management of transfers, and 8 % to a cold start."""
    return _session.create_client(service, config=_CONFIG)


_decoder = DecoderProcess()  # before the clients, because both take a moment to start
_s3 = _client("s3")
_thumbnailer = Thumbnailer(
    Originals(_s3, os.environ["ORIGINALS_BUCKET"]),
    Thumbnails(_s3, os.environ["THUMBNAILS_BUCKET"]),
    Catalogue(_client("dynamodb"), os.environ["CATALOGUE_TABLE"]),
    _decoder.make_thumbnails,
)


class Context(Protocol):
    """The part of the Lambda context that the function uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of this invocation."""


def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Process a batch of SQS messages. Returns the failed ones, which SQS delivers again."""
    failed = []
    for message in event["Records"]:
        try:
            if context.get_remaining_time_in_millis() < _MILLISECONDS_PER_PHOTO:
                raise TimeoutError("not enough time left in this batch")
            outcomes = _process(json.loads(message["body"]))
            log.info("Message %s processed: %s", message["messageId"], outcomes)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}. Body: {message['body']}"
            log.exception("Message %s failed and will be retried: %s", message["messageId"], reason)
            failed.append({"itemIdentifier": message["messageId"]})
            _schedule_retry(message)
    return {"batchItemFailures": failed}


@cache
def _sqs() -> "SQSClient":
    client: SQSClient = _client("sqs")  # not at the start, because few invocations need it
    return client


def _schedule_retry(message: dict[str, Any]) -> None:
    """Make a failed message visible again after a delay. After its last attempt, SQS moves it without one."""
    failures = int(message["attributes"]["ApproximateReceiveCount"])
    seconds = _RETRY_SECONDS[failures - 1] if failures <= len(_RETRY_SECONDS) else 0
    try:
        _sqs().change_message_visibility(
            QueueUrl=os.environ["UPLOAD_QUEUE_URL"], ReceiptHandle=message["receiptHandle"], VisibilityTimeout=seconds
        )
    except (BotoCoreError, ClientError):
        log.warning("Message %s stays invisible for the timeout of the queue", message["messageId"], exc_info=True)


def _process(notification: dict[str, Any]) -> str:
    # S3 sends one test message without records when a notification is configured.
    outcomes = []
    for record in notification.get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        outcome = _process_event(record["eventName"], key, record["s3"]["object"])
        outcomes.append(f"{outcome}, {key!r} ({record['eventName']})")
    return "; ".join(outcomes) or "no events"


def _process_event(event_name: str, key: str, s3_object: dict[str, Any]) -> Outcome:
    if event_name.startswith("ObjectRemoved:"):
        return _thumbnailer.process_deletion(key, s3_object["sequencer"])
    if event_name.startswith("ObjectCreated:"):
        return _thumbnailer.process_upload(key, Upload(s3_object["eTag"], s3_object["sequencer"]))
    raise ValueError(f"unknown event {event_name}")
