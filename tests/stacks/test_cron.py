"""The Cron stack: the schedule, retries, and the dead-letter queue."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from stacks.cron import CronStack
from stacks.thumbnails import ThumbnailsStack
from tests.templates import actions, of_type, read_resources, statements

_DEAD_LETTER_QUEUE = {"Fn::GetAtt": [Match.string_like_regexp("^DeadLetters"), "Arn"]}


@pytest.fixture(scope="module")
def cron(template: Callable[[str], Template]) -> Template:
    return template("Cron")


def test_schedule_runs_every_night_in_the_time_zone_of_the_setting() -> None:
    app = App()
    thumbnails = ThumbnailsStack(app, "Thumbnails", target="aws")
    cron = CronStack(
        app,
        "Cron",
        storage=thumbnails.storage,
        upload_queue=thumbnails.upload_queue,
        time_zone="Asia/Tokyo",
        target="aws",
    )
    Template.from_stack(cron).has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "State": "ENABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "cron(0 4 * * ? *)",
            "ScheduleExpressionTimezone": "Asia/Tokyo",
        },
    )


@pytest.mark.guarantee("Reports every failure")
def test_failed_invocations_are_retried_and_end_in_the_dead_letter_queue(cron: Template) -> None:
    cron.has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
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


@pytest.mark.guarantee("Reports every failure")
def test_alarm_monitors_the_dead_letter_queue(cron: Template) -> None:
    (queue,) = cron.find_resources("AWS::SQS::Queue")
    cron.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}],
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
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


@pytest.mark.guarantee("Deploys the first time")
def test_function_does_not_depend_on_the_policy_that_refers_to_it(assembly: Path) -> None:
    """CloudFormation rejects circular dependencies."""
    resources = read_resources(assembly, "Cron")
    (policy,) = [name for name in of_type(resources, "AWS::IAM::Policy") if name.startswith("GoOn")]
    for function in of_type(resources, "AWS::Lambda::Function", Handler="sweep.handler.handler").values():
        assert policy not in function["DependsOn"]
