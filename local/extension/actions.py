"""Which right a batch call of SQS needs: that of the single call, as on AWS; the emulator asks for one that is unknown.

See "Actions, resources, and condition keys for Amazon SQS" in the Service Authorization Reference.
"""

from typing import Any

from ministack.core import iam_actions

_NEEDED = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}


def extend() -> None:
    """Check batch calls against the right of the single call."""
    extract = iam_actions.extract_iam_action

    def extract_needed(*arguments: Any) -> str | None:
        action: str | None = extract(*arguments)
        return _NEEDED.get(action or "", action)

    iam_actions.extract_iam_action = extract_needed
