"""Dead letters: messages that a queue, a schedule or a function has given up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Longer than it takes to deal with all of them: while we do, nobody else sees them.
_HIDDEN_SECONDS = 300
# Waiting asks all servers of SQS rather than some: else a queue that is not empty may look so.
_WAIT_SECONDS = 1


class Mode(StrEnum):
    """What to do with letters."""

    LOOK = "look"  # show them, no more
    SEND = "send"  # what was not sent again before; the rest is left where it is
    AGAIN = "again"  # all
    DISCARD = "discard"  # as SEND, and delete the rest


@dataclass(frozen=True)
class Letter:
    """One message. Its id is the one it had in the queue that gave it up.

    sent_at: UTC, when that queue got it
    attributes: that its sender gave it, all of them texts
    """

    id: str
    body: str
    sent_at: datetime
    attributes: Mapping[str, str]
    receipt: str


class DeadLetters:
    """A dead-letter queue."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def take(self) -> list[Letter]:
        """Every letter, oldest first. What is not deleted has to be given back."""
        found: dict[str, Letter] = {}
        while messages := self._receive():
            found |= {message["MessageId"]: _letter(message) for message in messages}
        return sorted(found.values(), key=lambda letter: letter.sent_at)

    def delete(self, letter: Letter) -> None:
        """Done with."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def give_back(self, letters: Iterable[Letter]) -> None:
        """Let others see these again, now: an alarm counts what can be seen."""
        for letter in letters:
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=letter.receipt, VisibilityTimeout=0)

    def _receive(self) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))


def _letter(message: Any) -> Letter:
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        attributes={
            name: str(value.get("StringValue", "")) for name, value in message.get("MessageAttributes", {}).items()
        },
        receipt=message["ReceiptHandle"],
    )
