"""Delivery of S3 events as SQS allows it in the worst case: duplicated, late, and out of order, but never lost."""

import json
import random
import threading
import time
from collections import Counter
from typing import Any

from local.sandbox import Sandbox

DUPLICATE_RATE = 0.1
_LATE_RATE = 0.05
_MAX_USUAL_DELAY = 3  # seconds; enough for events of one key to overtake each other


class EventInjector:
    """Replaces the bucket notification: S3 sends to `queue`, and a thread forwards to the upload queue.

    Attributes:
        counts: Number of events from S3, and of those that were sent twice ("duplicated"), with the maximum delay
            ("late"), and before an earlier event of the same key ("reordered").
    """

    def __init__(self, sandbox: Sandbox, seed: str, max_delay: int, queue: tuple[str, str]) -> None:
        """Prepare the replacement, which is active while the context manager is.

        Args:
            max_delay: Delay of late events in seconds.
            queue: URL and ARN of a queue that accepts messages from S3.
        """
        outputs = sandbox.outputs["Thumbnails"]
        self._bucket, self._uploads = outputs["OriginalsBucket"], outputs["UploadQueueUrl"]
        self._s3, self._sqs = sandbox.client("s3"), sandbox.client("sqs")
        self._queue_url, self._queue_arn = queue
        self._max_delay = max_delay
        self._random = random.Random(f"{seed} events")
        self._seen: set[str] = set()
        self._arrivals: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> "EventInjector":
        self._original = self._s3.get_bucket_notification_configuration(Bucket=self._bucket)
        del self._original["ResponseMetadata"]
        target = {"QueueArn": self._queue_arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        self._configure({"QueueConfigurations": [target]})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._configure(self._original)

    def _configure(self, configuration: dict[str, Any]) -> None:
        self._s3.put_bucket_notification_configuration(
            Bucket=self._bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
        )

    def _run(self) -> None:
        while not self._stop.is_set():
            answer = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                if message["MessageId"] not in self._seen and "Records" in json.loads(message["Body"]):
                    self._forward(message["Body"])
                    self._seen.add(message["MessageId"])
                    self.counts["events"] += 1
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _forward(self, body: str) -> None:
        late = self._random.random() < _LATE_RATE
        duplicated = self._random.random() < DUPLICATE_RATE
        self.counts.update({"late events": late, "duplicated events": duplicated})
        delays = [self._max_delay if late else self._random.randint(0, _MAX_USUAL_DELAY)]
        if duplicated:
            delays.append(self._random.randint(0, self._max_delay))
        for seconds in delays:
            self._sqs.send_message(QueueUrl=self._uploads, MessageBody=body, DelaySeconds=seconds)
        now = time.monotonic()
        for record in json.loads(body)["Records"]:
            key = record["s3"]["object"]["key"]
            latest = self._arrivals.get(key, 0)
            self.counts["reordered events"] += now + min(delays) < latest
            self._arrivals[key] = max(latest, now + max(delays))
