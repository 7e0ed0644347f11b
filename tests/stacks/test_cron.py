"""The Cron stack: what its template promises."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from app import build


@pytest.fixture(scope="module")
def cron(template: Callable[[str], Template]) -> Template:
    return template("Cron")


def _statements(cron: Template) -> list[dict[str, Any]]:
    policies = cron.find_resources("AWS::IAM::Policy").values()
    return [statement for policy in policies for statement in policy["Properties"]["PolicyDocument"]["Statement"]]


def test_outputs_of_the_contract(cron: Template) -> None:
    assert set(cron.to_json()["Outputs"]) >= {"SweepFunction", "DeadLetterQueueUrl"}


def test_starts_every_night_tries_again_and_keeps_what_could_not_be_started(cron: Template) -> None:
    cron.has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "State": "ENABLED",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "cron(0 4 * * ? *)",
            "Target": {
                "DeadLetterConfig": {"Arn": {"Fn::GetAtt": [Match.string_like_regexp("^DeadLetters"), "Arn"]}},
                "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600},
            },
        },
    )


def test_keeps_what_failed_for_good_after_it_was_started(cron: Template) -> None:
    cron.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig",
        {
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {
                "OnFailure": {"Destination": {"Fn::GetAtt": [Match.string_like_regexp("^DeadLetters"), "Arn"]}}
            },
        },
    )


def test_somebody_is_told_of_what_failed_for_good(cron: Template) -> None:
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


@pytest.mark.slow
def test_the_clock_is_that_of_the_setting(context: dict[str, Any], tmp_path: Path) -> None:
    build(App(context={**context, "time_zone": "Pacific/Auckland"}, outdir=str(tmp_path))).synth()
    template = Template.from_string((tmp_path / "Cron.template.json").read_text())
    template.has_resource_properties("AWS::Scheduler::Schedule", {"ScheduleExpressionTimezone": "Pacific/Auckland"})


def test_the_function_may_only_call_what_its_code_calls(cron: Template) -> None:
    actions = {
        action
        for statement in _statements(cron)
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert actions == {
        "dynamodb:DeleteItem",
        "dynamodb:Query",
        "lambda:InvokeFunction",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:PutObject",
        "sqs:SendMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def test_it_may_write_reports_but_no_thumbnails_and_touch_no_original(cron: Template) -> None:
    (writes,) = [statement for statement in _statements(cron) if statement["Action"] == "s3:PutObject"]
    assert json.dumps(writes["Resource"]).endswith('"/reports/*"]]}')
    (deletions,) = [statement for statement in _statements(cron) if statement["Action"] == "s3:DeleteObject"]
    assert "Thumbnails" in json.dumps(deletions) and "Originals" not in json.dumps(deletions)


def test_only_a_schedule_of_this_account_may_start_it(cron: Template) -> None:
    cron.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Principal": {"Service": "scheduler.amazonaws.com"},
                        "Condition": {
                            "StringEquals": {
                                "aws:SourceAccount": {"Ref": "AWS::AccountId"},
                                "aws:SourceArn": Match.any_value(),
                            }
                        },
                        "Action": "sts:AssumeRole",
                        "Effect": "Allow",
                    }
                ]
            }
        },
    )


def test_the_function_does_not_wait_for_the_policy_that_names_it(cron: Template) -> None:
    # CloudFormation refuses templates in which two resources wait for each other.
    (function,) = [
        resource
        for resource in cron.find_resources("AWS::Lambda::Function").values()
        if resource["Properties"]["Handler"] == "sweep.handler.handler"
    ]
    (policy,) = cron.find_resources(
        "AWS::IAM::Policy", {"Properties": {"PolicyName": Match.string_like_regexp("GoOn")}}
    )
    assert policy not in function["DependsOn"]
