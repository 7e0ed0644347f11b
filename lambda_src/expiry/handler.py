"""The Lambda function `expiry`: from the expiry on, deletes the stacks of the deployment, its own one last.

A schedule invokes the function every few minutes. A stack that could not be deleted is tried again in the next run.
"""

import json
import logging
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import boto3
from botocore.config import Config

from expiry.deletion import Deletion, DeletionOrder, Stack

logging.basicConfig()
log = logging.getLogger("expiry")
log.setLevel(logging.INFO)

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})

# Enough for the slowest step that can be in progress.
_RESERVE_MILLISECONDS = 60_000

# What remains is reported after some runs, and then once a day.
_FIRST_REPORT = timedelta(hours=1)
_REPORT_INTERVAL = timedelta(days=1)

_NAME, _EXPIRES_AT = os.environ["PROJECT"], os.environ["EXPIRES_AT"]
_RUN_INTERVAL = timedelta(minutes=int(os.environ["RUN_INTERVAL_MINUTES"]))

_sns = boto3.client("sns", config=_CONFIG)
_order = DeletionOrder(**json.loads(os.environ["DELETION_ORDER"]))
_deletion = Deletion(boto3.client("cloudformation", config=_CONFIG), _NAME, _EXPIRES_AT, _order)


class Context(Protocol):
    """The part of the Lambda context that the function uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of this invocation."""


def handler(event: dict[str, Any], context: Context) -> None:
    """Delete the stacks if the deployment has expired at the `time` of the event, when the schedule invoked this."""
    age = datetime.fromisoformat(event["time"]) - datetime.fromisoformat(_EXPIRES_AT)
    if age < timedelta(0):
        return
    remaining = _deletion.run(lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
    since_first_report = age - _FIRST_REPORT
    if remaining and since_first_report >= timedelta(0) and since_first_report % _REPORT_INTERVAL < _RUN_INTERVAL:
        _report(remaining)


def _report(stacks: Sequence[Stack]) -> None:
    """Publish which stacks remain, why, and what to do, to the alert topic of the deployment."""
    lines = "\n".join(f"- {_NAME}-{it.id}: {it.status} {it.reason}".rstrip() for it in stacks)
    message = (
        f"The deployment {_NAME} expired at {_EXPIRES_AT}, but these stacks remain:\n\n{lines}\n\n"
        f"Each run of the expiry tries again. To delete them now, run: make destroy name={_NAME}\n"
        "It empties buckets and prints the reason for each failure. Otherwise, fix the reason that the CloudFormation "
        "console shows under Events."
    )
    log.error(message)
    topics = [it.outputs["AlertTopic"] for it in stacks if "AlertTopic" in it.outputs]
    for topic in topics:  # none if the deployment has no stack Guardrails
        _sns.publish(TopicArn=topic, Subject=f"{_NAME}: stacks remain after the expiry", Message=message)
