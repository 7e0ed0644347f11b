"""The Cron stack: the schedule, retries, and the dead-letter queue."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk.assertions import Match, Template

from tests.templates import actions, read_resources, statements

_DEAD_LETTER_QUEUE = {"Fn::GetAtt": [Match.string_like_regexp("^DeadLetters"), "Arn"]}


@pytest.fixture(scope="module")
def cron(template: Callable[[str], Template]) -> Template:
    return template("Cron")


@pytest.mark.guarantee("Reports every failure")
def test_nightly_runs_are_retried_and_end_in_the_dead_letter_queue(cron: Template) -> None:
    cron.has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "ScheduleExpression": "cron(0 4 * * ? *)",
            "Target": {
                "DeadLetterConfig": {"Arn": _DEAD_LETTER_QUEUE},
                "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600},
            },
        },
    )
    cron.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig",
        {
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {"OnFailure": {"Destination": _DEAD_LETTER_QUEUE}},
        },
    )


@pytest.mark.guarantee("Least privilege")
def test_sweep_writes_reports_only_and_deletes_no_original(assembly: Path) -> None:
    found = statements(read_resources(assembly, "Cron"))
    (write,) = [statement for statement in found if statement["Action"] == "s3:PutObject"]
    assert json.dumps(write["Resource"]).endswith('"/reports/*"]]}')
    (delete,) = [statement for statement in found if "s3:DeleteObject" in actions([statement])]
    assert "Thumbnails" in json.dumps(delete) and "Originals" not in json.dumps(delete)


@pytest.mark.guarantee("Least privilege")
def test_only_schedules_of_this_account_can_assume_the_scheduler_role(cron: Template) -> None:
    condition = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}, "aws:SourceArn": Match.any_value()}
    statement = {
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Condition": {"StringEquals": condition},
        "Action": "sts:AssumeRole",
        "Effect": "Allow",
    }
    cron.has_resource_properties("AWS::IAM::Role", {"AssumeRolePolicyDocument": {"Statement": [statement]}})
