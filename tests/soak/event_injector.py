"""The way from S3 to the upload queue, made as bad as SQS may ever be: twice, late, out of order; never lost."""

import json
import random
import threading
import time
from typing import Any

from local.sandbox import Sandbox

_QUEUE = "soak-events"
_TWICE = 0.1
_LATE = 0.05
_USUAL_SECONDS = 3  # so long an event may take: events of one key overtake each other


class Postman:
    """While the block runs, S3 tells a queue of our own, and we tell the upload queue.

    late_seconds: how long the late ones take
    received: events of S3, each counted once
    twice, late: so many of them were sent twice, and late
    overtaking: so many came before one of the same photo that S3 had told earlier
    """

    def __init__(self, sandbox: Sandbox, seed: str, late_seconds: int) -> None:
        outputs = sandbox.outputs["Thumbnails"]
        self._bucket, self._uploads = outputs["OriginalsBucket"], outputs["UploadQueueUrl"]
        self._s3, self._sqs = sandbox.client("s3"), sandbox.client("sqs")
        self._late_seconds = late_seconds
        self._chance = random.Random(f"{seed} postman")
        self._seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._arrivals: dict[str, float] = {}
        self.twice = self.late = self.overtaking = 0

    @property
    def received(self) -> int:
        """Events of S3 so far."""
        return len(self._seen)

    def __enter__(self) -> "Postman":
        self._own = self._sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._own, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self._sqs.set_queue_attributes(QueueUrl=self._own, Attributes={"Policy": policy})
        self._usual = self._s3.get_bucket_notification_configuration(Bucket=self._bucket)
        del self._usual["ResponseMetadata"]
        own = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        self._tell({"QueueConfigurations": [own]})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._tell(self._usual)
        self._sqs.delete_queue(QueueUrl=self._own)

    def _tell(self, configuration: dict[str, Any]) -> None:
        self._s3.put_bucket_notification_configuration(
            Bucket=self._bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
        )

    def _run(self) -> None:
        while not self._end.is_set():
            messages = self._sqs.receive_message(QueueUrl=self._own, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in messages.get("Messages", []):
                if message["MessageId"] not in self._seen and "Records" in json.loads(message["Body"]):
                    self._pass_on(message["Body"])
                    self._seen.add(message["MessageId"])
                self._sqs.delete_message(QueueUrl=self._own, ReceiptHandle=message["ReceiptHandle"])

    def _pass_on(self, body: str) -> None:
        late = self._chance.random() < _LATE
        twice = self._chance.random() < _TWICE
        self.late, self.twice = self.late + late, self.twice + twice
        delays = [self._late_seconds if late else self._chance.randint(0, _USUAL_SECONDS)]
        if twice:
            delays.append(self._chance.randint(0, self._late_seconds))
        for seconds in delays:
            self._send(body, seconds)
        self._note(body, delays)

    def _note(self, body: str, delays: list[int]) -> None:
        now = time.monotonic()
        for record in json.loads(body)["Records"]:
            key, before = record["s3"]["object"]["key"], self._arrivals.get(record["s3"]["object"]["key"], 0)
            self.overtaking += now + min(delays) < before
            self._arrivals[key] = max(before, now + max(delays))

    def _send(self, body: str, seconds: int) -> None:
        self._sqs.send_message(QueueUrl=self._uploads, MessageBody=body, DelaySeconds=seconds)
