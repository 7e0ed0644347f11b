"""The Lambda function `thumbnail`, which processes batches of messages of the upload queue.

A container image with the same handler can replace the deployment package. `containers/thumbnailer` builds it.
"""

import logging
from typing import Any, Protocol

from photos.decoder_process import DecoderProcess
from thumbnail.clients import create_thumbnailer
from thumbnail.messages import Message, MessageProcessor

logging.basicConfig()  # Lambda configures the root logger. This line is for other environments.

_decoder = DecoderProcess()  # before the clients, because both take a moment to start
_processor = MessageProcessor(create_thumbnailer(_decoder.make_thumbnails))


class Context(Protocol):
    """The part of the Lambda context that the function uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of this invocation."""


def handler(event: dict[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Process a batch of SQS messages. Returns the failed ones, which SQS delivers again."""
    failed = []
    for record in event["Records"]:
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        message = Message(record["messageId"], record["receiptHandle"], record["body"], receives)
        if not _processor.process(message, seconds_left=context.get_remaining_time_in_millis() / 1_000):
            failed.append({"itemIdentifier": message.id})
            _processor.schedule_retry(message)
    return {"batchItemFailures": failed}
