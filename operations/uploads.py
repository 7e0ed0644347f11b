"""Dead letters of the upload queue: why each failed, and what becomes of it when it is sent again."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import boto3

from operations.function_log import FunctionLog
from operations.letters import DeadLetters, Letter, Mode

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# On a message that a redrive has sent: if it comes back, sending it once more helps nobody.
_REDRIVEN = "redriven"

_LOOK_SECONDS = 2
# So often the queue has to be empty when we look: what SQS counts is approximate.
_EMPTY_LOOKS = 5
# For the log to show what was logged.
_LOG_DELAY = timedelta(minutes=2)


class Uploads:
    """The upload queue of a deployed Thumbnails stack, its dead-letter queue, and the log of the function behind it.

    patience: so long until a message that always fails is a dead letter again
    """

    def __init__(
        self, sqs: SQSClient, url: str, dead_letters: DeadLetters, log: FunctionLog, patience: timedelta
    ) -> None:
        self._sqs = sqs
        self._url = url
        self._dead = dead_letters
        self._log = log
        self._patience = patience

    @classmethod
    def deployed(cls, session: boto3.Session, outputs: Mapping[str, str]) -> Uploads:
        """Those of the stack with these outputs."""
        sqs, url = session.client("sqs"), outputs["UploadQueueUrl"]
        names: Any = ["QueueArn", "VisibilityTimeout", "RedrivePolicy"]
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        tries = int(json.loads(queue["RedrivePolicy"])["maxReceiveCount"])
        functions = session.client("lambda")
        (mapping,) = functions.list_event_source_mappings(EventSourceArn=queue["QueueArn"])["EventSourceMappings"]
        function = functions.get_function_configuration(FunctionName=mapping["FunctionArn"])
        return cls(
            sqs,
            url,
            DeadLetters(sqs, outputs["DeadLetterQueueUrl"]),
            FunctionLog(session.client("logs"), function["LoggingConfig"]["LogGroup"]),
            tries * timedelta(seconds=int(queue["VisibilityTimeout"])) + _LOG_DELAY,
        )

    def redrive(self, mode: Mode) -> tuple[int, int]:
        """Show every letter, send it again, wait for what becomes of it. Returns how many were sent, how many are left.

        A letter is sent before it is deleted: stopped half way, one may be sent twice, which changes nothing.
        """
        letters = self._dead.take()
        kept = {letter.id: letter for letter in letters}
        sent: dict[str, Letter] = {}
        start = datetime.now(UTC)
        try:
            why = self._log.failed(letters[0].sent_at) if letters else {}
            for letter in letters:
                print(f"  {describe(letter.body)}, sent {letter.sent_at:%Y-%m-%d %H:%M:%S} UTC")
                print(f"      {why.get(letter.id, _NO_WORD)}")
                came_back = _REDRIVEN in letter.attributes
                if came_back:
                    print("      It was sent again before, and came back.")
                if mode is Mode.LOOK or (came_back and mode is Mode.SEND):
                    continue
                if not (came_back and mode is Mode.DISCARD):
                    sent[self._send(letter)] = letter
                self._dead.delete(kept.pop(letter.id))
        finally:
            self._dead.give_back(kept.values())
        return len(sent), len(kept) + self._follow(sent, start)

    def _send(self, letter: Letter) -> str:
        """Its new message id."""
        mark: Any = {_REDRIVEN: {"DataType": "String", "StringValue": "yes"}}
        return self._sqs.send_message(QueueUrl=self._url, MessageBody=letter.body, MessageAttributes=mark)["MessageId"]

    def _follow(self, sent: Mapping[str, Letter], start: datetime) -> int:
        """Print what becomes of these, as it becomes known. Returns how many are not done with."""
        waited_for = dict(sent)
        if sent:
            minutes = self._patience.total_seconds() / 60
            print(f"Sent again. In {minutes:.0f} minutes at most it is known what became of each.")
        came_back = empty_looks = 0
        while waited_for and empty_looks < _EMPTY_LOOKS and datetime.now(UTC) < start + self._patience:
            time.sleep(_LOOK_SECONDS)
            # The clock of this machine may be ahead of the log's.
            for id_, outcome in self._log.done(start - _LOG_DELAY).items():
                if letter := waited_for.pop(id_, None):
                    print(f"  {describe(letter.body)}: {outcome}")
            empty_looks = empty_looks + 1 if self._is_empty() else 0
            for id_ in self._again_dead(waited_for):
                why = self._log.failed(start - _LOG_DELAY).get(id_, _NO_WORD)
                print(f"  {describe(waited_for.pop(id_).body)} came back: {why}")
                came_back += 1
        if empty_looks == _EMPTY_LOOKS:
            while waited_for:
                print(f"  {describe(waited_for.popitem()[1].body)}: done, as the queue is empty; the log says no more.")
        for letter in waited_for.values():
            print(f"  {describe(letter.body)}: nothing is known yet, it is still in work.")
        return came_back + len(waited_for)

    def _is_empty(self) -> bool:
        names: Any = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        counts = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return not any(map(int, counts.values()))

    def _again_dead(self, ids: Collection[str]) -> list[str]:
        letters = self._dead.take() if ids else []
        self._dead.give_back(letters)
        return [letter.id for letter in letters if letter.id in ids]


_NO_WORD = "Nothing in the log: the function was ended before it could say why (time-out, memory), or it is a week ago."


def describe(body: str) -> str:
    """What a message of the upload queue is about: event and photo, or the message itself if it makes no sense."""
    try:
        (record,) = json.loads(body)["Records"]
        return f"{record['eventName']} of {unquote_plus(record['s3']['object']['key'])!r}"
    except (ValueError, KeyError, TypeError):
        return f"No event of S3: {body[:200]!r}"
