"""The worker on Amazon ECS: receives messages of the upload queue, and processes some of them at the same time.

Received messages are invisible for a minute, and a heartbeat extends this time while the worker holds them. Therefore,
the messages of a killed worker return to the queue within a minute.

On SIGTERM (scale-in, deployment, Spot interruption), the worker stops receiving, returns the messages that it has not
started, and finishes those in progress, or returns those that take too long. Then it exits with status 0. A message
that hangs ends the worker with status 1, so that ECS replaces it. A failure to receive that outlasts the retries of the
client ends it with a traceback.

Environment variables: those of `thumbnail.clients` and `thumbnail.messages`, and AWS_DEFAULT_REGION.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from photos.decoder_process import DecoderProcess
from photos.limits import MAX_ELAPSED_SECONDS
from thumbnail.clients import create_client, create_thumbnailer
from thumbnail.messages import THREADS, Message, MessageProcessor

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MAX_MESSAGES: Final = 5  # in one receive, like a batch of the function
_POLL_SECONDS: Final = 20  # the longest possible time, which makes the fewest calls
_VISIBILITY_SECONDS: Final = 60
_HEARTBEAT_SECONDS: Final = 20  # a third of it, so that one failed heartbeat does not matter

# From SIGTERM to the exit. ECS sends SIGKILL after the stop timeout of the container, which is 120 seconds.
_STOP_SECONDS: Final = 100

# The decoder process ends a photo after at most two attempts, and a photo waits for those of the other threads. The
# remaining time is for the calls to AWS.
_HUNG_SECONDS: Final = THREADS * 2 * MAX_ELAPSED_SECONDS + 60

_VARIABLES: Final = ("ORIGINALS_BUCKET", "THUMBNAILS_BUCKET", "CATALOGUE_TABLE", "UPLOAD_QUEUE_URL", "RETRY_SECONDS")

log = logging.getLogger("thumbnail")


class Worker:
    """Processes messages until SIGTERM or SIGINT.

    The main thread receives messages, and a pool of threads processes them. Meanwhile, another thread, the supervisor,
    sends heartbeats and reacts to signals. All hold the lock while they change messages: a heartbeat for a message that
    another thread has just returned to the queue would delay it.
    """

    def __init__(self, processor: MessageProcessor, receiver: "SQSClient") -> None:
        """Use this processor.

        Args:
            processor: Processes messages. Its client extends, returns, and deletes them.
            receiver: Receives messages. Its timeout is longer than a poll.
        """
        self._processor = processor
        self._receiver = receiver
        self._lock = threading.Lock()
        self._waiting: deque[Message] = deque()  # received, but not started
        self._in_progress: dict[Message, float] = {}  # and when each one started
        self._stopping = False
        self._ended = False
        # A second signal can interrupt the handler of the first one, so the handler must not take a lock that is not
        # reentrant, such as that of `threading.Event`: https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
        self._wake: SimpleQueue[None] = SimpleQueue()

    def run(self) -> None:
        """Process messages until a signal stops the worker. Call it from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stop())
        supervisor = threading.Thread(target=self._supervise, daemon=True)
        supervisor.start()
        try:
            while not self._stopping:
                self._receive()
                with ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(lambda _thread: self._process_waiting(), range(THREADS)))
        finally:
            self._ended = True
            self._wake.put(None)
            supervisor.join()

    def _stop(self) -> None:
        self._stopping = True
        self._wake.put(None)

    def _receive(self) -> None:
        response = self._receiver.receive_message(
            QueueUrl=self._processor.queue_url,
            MaxNumberOfMessages=_MAX_MESSAGES,
            WaitTimeSeconds=_POLL_SECONDS,
            VisibilityTimeout=_VISIBILITY_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = [
            Message(it["MessageId"], it["ReceiptHandle"], it["Body"], int(it["Attributes"]["ApproximateReceiveCount"]))
            for it in response.get("Messages", [])
        ]
        with self._lock:
            self._waiting.extend(messages)

    def _process_waiting(self) -> None:
        while message := self._start_next():
            self._finish(message, succeeded=self._processor.process(message))

    def _start_next(self) -> Message | None:
        with self._lock:
            if self._stopping:
                self._return_waiting()
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            self._in_progress[message] = monotonic()
            return message

    def _finish(self, message: Message, *, succeeded: bool) -> None:
        with self._lock:
            del self._in_progress[message]
            if not succeeded:
                self._processor.schedule_retry(message)
                return
            try:
                self._processor.sqs.delete_message(
                    QueueUrl=self._processor.queue_url, ReceiptHandle=message.receipt_handle
                )
            except (BotoCoreError, ClientError):
                log.warning("Message %s could not be deleted and will be processed again", message.id, exc_info=True)

    def _supervise(self) -> None:
        """Watch the main thread, and end the process if the main thread does not end in time."""
        try:
            status = self._watch()
        except Exception:
            log.exception("The supervisor failed")
            status = 1
        if status is not None:
            logging.shutdown()
            os._exit(status)

    def _watch(self) -> int | None:
        """Send heartbeats and react to signals. Returns an exit status, or None if the main thread has ended."""
        stop_at = float("inf")
        while True:
            with suppress(Empty):
                self._wake.get(timeout=max(0, min(_HEARTBEAT_SECONDS, stop_at - monotonic())))
            with self._lock:
                if self._ended:
                    return None
                now = monotonic()
                if self._stopping:
                    stop_at = min(stop_at, now + _STOP_SECONDS)
                    self._return_waiting()
                if now >= stop_at:
                    self._set_visibility(self._in_progress, 0)
                    return 0
                if hung := [message for message, start in self._in_progress.items() if now - start > _HUNG_SECONDS]:
                    for message in hung:
                        log.critical("Message %s hangs. Body: %s", message.id, message.body)
                    self._set_visibility({*self._in_progress, *self._waiting} - {*hung}, 0)
                    return 1
                self._set_visibility([*self._in_progress, *self._waiting], _VISIBILITY_SECONDS)

    def _return_waiting(self) -> None:
        """Make the messages that are not started visible at once."""
        self._set_visibility(self._waiting, 0)
        self._waiting.clear()

    def _set_visibility(self, messages: Collection[Message], seconds: int) -> None:
        """Make these messages visible after this time. After an error, they are when their current timeout ends."""
        if not messages:
            return
        try:
            response = self._processor.sqs.change_message_visibility_batch(
                QueueUrl=self._processor.queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": seconds}
                    for number, message in enumerate(messages)
                ],
            )
        except (BotoCoreError, ClientError):
            log.warning("The visibility timeout of %d messages could not be changed", len(messages), exc_info=True)
        else:
            for entry in response.get("Failed", []):
                log.warning("The visibility timeout of a message could not be changed: %s", entry.get("Message"))


def main() -> None:
    """Run the worker until a signal stops it."""
    argparse.ArgumentParser(prog="thumbnailer.worker", description=main.__doc__).parse_args()
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    if missing := [name for name in _VARIABLES if name not in os.environ]:
        sys.exit(f"Missing environment variables: {', '.join(missing)}")
    # Until the worker handles the signal. The first process of a container ignores SIGTERM without a handler.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    with DecoderProcess() as decoder:  # before the clients, because both take a moment to start
        processor = MessageProcessor(create_thumbnailer(decoder.make_thumbnails))
        # More attempts than for other calls, because nothing else repeats a receive.
        Worker(processor, create_client("sqs", read_timeout=_POLL_SECONDS + 10, attempts=8)).run()


if __name__ == "__main__":
    main()
