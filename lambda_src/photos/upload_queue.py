"""The upload queue, as a producer: sends messages in the format of S3 events for photos whose event was lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from photos.event_ordering import Upload

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_MAX_BATCH = 10  # entries of one SendMessageBatch call


class UploadQueue:
    """Sends messages in batches of ten. Call `flush` after the last message."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._batch: list[SendMessageBatchRequestEntryTypeDef] = []

    def send(self, key: str, upload: Upload) -> None:
        """Request the thumbnails of this upload."""
        s3_object = {"key": quote_plus(key, safe="/"), "eTag": upload.etag, "sequencer": upload.sequencer}
        body = {"Records": [{"eventName": "ObjectCreated:Sweep", "s3": {"object": s3_object}}]}
        self._batch.append({"Id": str(len(self._batch)), "MessageBody": json.dumps(body)})
        if len(self._batch) == _MAX_BATCH:
            self.flush()

    def flush(self) -> None:
        """Send the pending messages.

        Raises:
            RuntimeError: SQS did not accept some messages. The others are sent.
        """
        if self._batch:
            entries, self._batch = self._batch, []
            failed = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
            if failed:
                raise RuntimeError(f"SQS did not accept {len(failed)} messages: {failed[0].get('Message')}")
