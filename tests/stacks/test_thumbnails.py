"""The Thumbnails stack: what its template promises."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template


@pytest.fixture(scope="module")
def thumbnails(template: Callable[[str], Template]) -> Template:
    return template("Thumbnails")


def _statements(thumbnails: Template) -> list[dict[str, Any]]:
    policies = thumbnails.find_resources("AWS::IAM::Policy").values()
    return [statement for policy in policies for statement in policy["Properties"]["PolicyDocument"]["Statement"]]


def test_outputs_of_the_contract(thumbnails: Template) -> None:
    outputs = {"OriginalsBucket", "ThumbnailsBucket", "CatalogueTable", "UploadQueueUrl", "DeadLetterQueueUrl"}
    assert outputs <= set(thumbnails.to_json()["Outputs"])


def test_uploads_and_deletions_go_to_the_queue(thumbnails: Template) -> None:
    (queue,) = [name for name in thumbnails.find_resources("AWS::SQS::Queue") if name.startswith("Uploads")]
    to_queue = {"Queue": {"Fn::GetAtt": [queue, "Arn"]}}
    thumbnails.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "NotificationConfiguration": {
                "QueueConfigurations": [
                    {"Event": "s3:ObjectCreated:*", **to_queue},
                    {"Event": "s3:ObjectRemoved:*", **to_queue},
                ]
            }
        },
    )


def test_the_bucket_waits_for_the_policy_that_lets_it_send(thumbnails: Template) -> None:
    # S3 tries the queue when the notification is set, and refuses the bucket if it may not send.
    thumbnails.has_resource(
        "AWS::S3::Bucket",
        {
            "DependsOn": Match.array_with([Match.string_like_regexp("UploadsPolicy")]),
            "Properties": {"NotificationConfiguration": Match.any_value()},
        },
    )


def test_no_message_is_handed_out_again_while_its_batch_is_in_work(thumbnails: Template) -> None:
    (timeout,) = {
        function["Properties"]["Timeout"]
        for function in thumbnails.find_resources("AWS::Lambda::Function").values()
        if function["Properties"].get("Handler", "").startswith("thumbnail.")
    }
    thumbnails.has_resource_properties(
        "AWS::SQS::Queue", {"VisibilityTimeout": 6 * timeout, "RedrivePolicy": {"maxReceiveCount": 3}}
    )


def test_batches_answer_for_each_photo_and_concurrency_is_bounded_without_reserving_any(thumbnails: Template) -> None:
    thumbnails.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {"FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": 5}},
    )
    assert "ReservedConcurrentExecutions" not in json.dumps(thumbnails.to_json())


def test_the_function_is_arm64_python_313_traced_and_logs_to_a_group_of_the_stack(thumbnails: Template) -> None:
    (group,) = [name for name in thumbnails.find_resources("AWS::Logs::LogGroup") if name.startswith("FunctionLog")]
    thumbnails.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": ["arm64"],
            "Runtime": "python3.13",
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {"LogGroup": {"Ref": group}, "LogFormat": "JSON"},
        },
    )


def test_the_role_may_call_what_the_code_calls_and_no_more(thumbnails: Template) -> None:
    actions: list[str] = []
    for statement in _statements(thumbnails):
        assert statement["Effect"] == "Allow"
        called = statement["Action"]
        actions += [called] if isinstance(called, str) else called
        assert statement["Resource"] != "*" or set(called) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert sorted(actions) == [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ]
    assert "ManagedPolicyArns" not in json.dumps(thumbnails.find_resources("AWS::IAM::Role"))


def test_alarms_on_dead_letters_and_on_photos_that_wait(thumbnails: Template) -> None:
    for metric, threshold in (
        ("ApproximateNumberOfMessagesVisible", 1),
        ("ApproximateAgeOfOldestMessage", 900),
    ):
        thumbnails.has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {
                "MetricName": metric,
                "Threshold": threshold,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmDescription": Match.any_value(),
            },
        )


def test_the_catalogue_is_paid_by_request_and_lists_newest_first(thumbnails: Template) -> None:
    thumbnails.has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": Match.array_with(
                [
                    Match.object_like(
                        {
                            "IndexName": "newest-first",
                            "KeySchema": [
                                {"AttributeName": "listing", "KeyType": "HASH"},
                                {"AttributeName": "created_at", "KeyType": "RANGE"},
                            ],
                        }
                    )
                ]
            ),
        },
    )
