"""The Lambda function `thumbnail`, which processes batches of messages of the upload queue.

A container image with the same handler can replace the deployment package. `containers/thumbnailer` builds it.
"""

import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from time import monotonic
from typing import Any, Protocol

from photos.decoder_process import DecoderProcess
from thumbnail.clients import create_thumbnailer
from thumbnail.messages import SECONDS_PER_PHOTO, THREADS, Message, MessageProcessor

logging.basicConfig()  # Lambda configures the root logger. This line is for other environments.

_decoder = DecoderProcess()  # before the clients, because both take a moment to start
_processor = MessageProcessor(create_thumbnailer(_decoder.make_thumbnails))


class Context(Protocol):
    """The part of the Lambda context that the function uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of this invocation."""


def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Process a batch of SQS messages, some at the same time. Returns the failed ones, which SQS delivers again."""
    seconds_left = context.get_remaining_time_in_millis() / 1_000
    start_until = _decoder.start_until = monotonic() + seconds_left - SECONDS_PER_PHOTO
    messages = [
        Message(it["messageId"], it["receiptHandle"], it["body"], int(it["attributes"]["ApproximateReceiveCount"]))
        for it in event["Records"]
    ]
    failed = []
    with ThreadPoolExecutor(THREADS) as pool:  # the block ends when no thread works any more
        running = {pool.submit(_processor.process, message, start_until=start_until): message for message in messages}
        for processed in as_completed(running):
            if not processed.result():
                failed.append(running[processed])
                _processor.schedule_retry(running[processed])
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in failed]}
