"""EventBridge Scheduler: universal targets, which call an API action with the role of the schedule."""

import datetime
import json

import pytest

from local.emulator import ACCOUNT, REGION, Emulator
from tests.e2e.eventually import eventually
from tests.local.emulator_requests import create_client, create_role

pytestmark = pytest.mark.slow  # starts an emulator


def test_universal_target_calls_an_api_action_with_the_role_of_the_schedule(emulator: Emulator) -> None:
    sqs, scheduler = create_client(emulator, "sqs"), create_client(emulator, "scheduler")
    queue, dead_letters = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("queue", "dead-letter-queue"))
    queue_arn, dead_letter_arn = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in ("queue", "dead-letter-queue"))
    role = create_role(
        emulator,
        "schedule",
        {"Effect": "Allow", "Action": "sqs:TagQueue", "Resource": queue_arn},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead_letter_arn},
    )
    for action in ("tagQueue", "purgeQueue"):
        scheduler.create_schedule(
            Name=action,
            ScheduleExpression=f"at({datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:scheduler:::aws-sdk:sqs:{action}",
                "RoleArn": role,
                "Input": json.dumps({"QueueUrl": queue} | ({"Tags": {"a": "1"}} if action == "tagQueue" else {})),
                "DeadLetterConfig": {"Arn": dead_letter_arn},
            },
        )
    eventually(lambda: sqs.list_queue_tags(QueueUrl=queue).get("Tags") == {"a": "1"})
    denied = eventually(lambda: sqs.receive_message(QueueUrl=dead_letters).get("Messages"))
    assert "purgeQueue" in denied[0]["Body"]
