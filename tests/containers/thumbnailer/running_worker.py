"""Runs workers in the process of a test, with a queue of a mocked SQS."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from thumbnail.messages import MessageProcessor
from thumbnailer import worker

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Uploads:
    """The upload queue, with a worker that can be run again and again.

    Attributes:
        url: URL of the queue.
    """

    def __init__(self, sqs: "SQSClient", url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = url
        self._sqs = sqs
        self._received: list[str] = []  # receipt handles
        monkeypatch.setattr(worker, "_POLL_SECONDS", 0)

    def send(self, *bodies: str) -> None:
        """Send a message for each of these bodies."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def send_events(self, *events: dict[str, Any]) -> None:
        """Send a message for each of these S3 events."""
        self.send(*(json.dumps({"Records": [event]}) for event in events))

    def run_worker(self, processor: MessageProcessor, *, until_empty: bool = True) -> None:
        """Run a worker.

        Args:
            processor: Processes the messages.
            until_empty: Send SIGTERM to the worker when it finds no message.
        """

        def received(parsed: dict[str, Any], **_event: object) -> None:
            messages = parsed.get("Messages", [])
            self._received += [message["ReceiptHandle"] for message in messages]
            if until_empty and not messages:
                os.kill(os.getpid(), signal.SIGTERM)

        receiver = boto3.client("sqs")
        receiver.meta.events.register("after-call.sqs.ReceiveMessage", received)
        with _restored_signal_handlers():
            worker.Worker(processor, receiver).run()

    def end_visibility_timeouts(self) -> None:
        """Let the time pass after which the messages of a killed worker are visible again."""
        for handle in self._received:
            with suppress(self._sqs.exceptions.ReceiptHandleIsInvalid):  # deleted
                self._sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0)

    def count(self) -> tuple[int, int]:
        """Return the number of visible and of invisible messages."""
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )


@contextmanager
def _restored_signal_handlers() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
