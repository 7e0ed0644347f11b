"""EventBridge Scheduler: universal targets, which call an API action with the role of the schedule."""

import datetime
import json

import pytest

from local.emulator import ACCOUNT, REGION, running_emulator
from tests.e2e.eventually import eventually
from tests.local.emulator_requests import create_client

pytestmark = pytest.mark.slow  # starts an emulator


def test_universal_target_calls_an_api_action_with_the_role_of_the_schedule() -> None:
    with running_emulator() as emulator:
        sqs, iam, scheduler = (create_client(emulator, service) for service in ("sqs", "iam", "scheduler"))
        queue, dead_letters = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("queue", "dead-letter-queue"))
        trust = {"Statement": {"Effect": "Allow", "Principal": {"Service": "*"}, "Action": "sts:AssumeRole"}}
        iam.create_role(RoleName="schedule", AssumeRolePolicyDocument=json.dumps(trust))
        statements = [
            {"Effect": "Allow", "Action": "sqs:TagQueue", "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"},
            {
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letter-queue",
            },
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName="schedule", PolicyName="calls", PolicyDocument=policy)
        for action in ("tagQueue", "purgeQueue"):
            scheduler.create_schedule(
                Name=action,
                ScheduleExpression=f"at({datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S})",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    "Arn": f"arn:aws:scheduler:::aws-sdk:sqs:{action}",
                    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/schedule",
                    "Input": json.dumps({"QueueUrl": queue} | ({"Tags": {"a": "1"}} if action == "tagQueue" else {})),
                    "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letter-queue"},
                },
            )
        eventually(lambda: sqs.list_queue_tags(QueueUrl=queue).get("Tags") == {"a": "1"})
        denied = eventually(lambda: sqs.receive_message(QueueUrl=dead_letters).get("Messages"))
        assert "purgeQueue" in denied[0]["Body"]
