"""The queue of uploads, for photos whose event was lost: the message reads as if S3 had sent it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from photos.event_ordering import Upload

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_MOST_PER_CALL = 10  # SQS takes no more


class UploadQueue:
    """Messages are sent ten at a time: call `flush` after the last one."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._waiting: list[SendMessageBatchRequestEntryTypeDef] = []

    def send(self, key: str, upload: Upload) -> None:
        """Ask for the thumbnails of this upload."""
        s3_object = {"key": quote_plus(key, safe="/"), "eTag": upload.etag, "sequencer": upload.sequencer}
        body = {"Records": [{"eventName": "ObjectCreated:Sweep", "s3": {"object": s3_object}}]}
        self._waiting.append({"Id": str(len(self._waiting)), "MessageBody": json.dumps(body)})
        if len(self._waiting) == _MOST_PER_CALL:
            self.flush()

    def flush(self) -> None:
        """Send what waits. Raises RuntimeError if the queue refused any: the others are sent all the same."""
        if self._waiting:
            entries, self._waiting = self._waiting, []
            refused = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
            if refused:
                raise RuntimeError(f"{len(refused)} messages were not queued: {refused[0].get('Message')}")
