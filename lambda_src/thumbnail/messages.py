"""Messages of the upload queue: processes them, and schedules the next attempt of those that fail.

Environment variables: UPLOAD_QUEUE_URL, and RETRY_SECONDS, the seconds until the next attempt after the first, second,
and later failures of a message, separated by spaces. Otherwise, SQS would wait for the visibility timeout.
"""

import logging
import os
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from photos.limits import MAX_ELAPSED_SECONDS
from photos.thumbnails import Thumbnailer
from thumbnail.clients import create_client
from thumbnail.s3_events import process_notification

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

log = logging.getLogger("thumbnail")
log.setLevel(logging.INFO)

# Messages that are processed at the same time: one photo is decoded, while the next one is fetched and the previous one
# is stored. The photos take at most 150 MiB. The decoder process takes at most 1,350, which include the memory that it
# shares with this process, and Python with its libraries takes about 70. The function has 1,769 MiB, a worker on EC2
# has 1,664.
THREADS: Final = 3

# Maximum elapsed time of a photo, including the calls to S3. A photo that starts with less time left could make a whole
# batch time out.
SECONDS_PER_PHOTO: Final = MAX_ELAPSED_SECONDS + 5


@dataclass(frozen=True)
class Message:
    """A received message.

    Attributes:
        id: Identifies the message in the log.
        receipt_handle: Identifies this receive in later calls.
        body: The notification of S3.
        receives: How often the message was received, including this time.
    """

    id: str
    receipt_handle: str
    body: str
    receives: int


class MessageProcessor:
    """Processes messages of the queue that the environment names."""

    def __init__(self, thumbnailer: Thumbnailer) -> None:
        self.queue_url = os.environ["UPLOAD_QUEUE_URL"]
        self._retry_seconds = [int(seconds) for seconds in os.environ["RETRY_SECONDS"].split()]
        self._thumbnailer = thumbnailer

    @cached_property
    def sqs(self) -> "SQSClient":
        """The client of the queue. It is created when it is needed, because few invocations of the function need it."""
        client: SQSClient = create_client("sqs")
        return client

    def process(self, message: Message, *, start_until: float = float("inf")) -> bool:
        """Process a message. Any number of threads may call this method.

        Args:
            message: The message.
            start_until: Time of `time.monotonic` from which the message fails without being processed.

        Returns:
            Whether it succeeded. If not, the log contains the reason.
        """
        try:
            if monotonic() > start_until:
                raise TimeoutError("not enough time left in this batch")
            log.info("Message %s processed: %s", message.id, process_notification(message.body, self._thumbnailer))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}. Body: {message.body}"
            log.exception("Message %s failed and will be retried: %s", message.id, reason)
            return False
        return True

    def schedule_retry(self, message: Message) -> None:
        """Make a failed message visible again after a delay. After its last attempt, SQS moves it without one."""
        delays = self._retry_seconds
        seconds = delays[message.receives - 1] if message.receives <= len(delays) else 0
        try:
            self.sqs.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError):
            log.warning("Message %s stays invisible until its timeout ends", message.id, exc_info=True)
