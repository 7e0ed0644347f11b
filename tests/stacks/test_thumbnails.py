"""The Thumbnails stack: events, the function, the catalogue, and alarms."""

from collections.abc import Callable

import pytest
from aws_cdk.assertions import Match, Template


@pytest.fixture(scope="module")
def thumbnails(template: Callable[[str], Template]) -> Template:
    return template("Thumbnails")


def test_uploads_and_deletions_are_sent_to_the_queue(thumbnails: Template) -> None:
    (queue,) = [name for name in thumbnails.find_resources("AWS::SQS::Queue") if name.startswith("Uploads")]
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    thumbnails.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "NotificationConfiguration": {
                "QueueConfigurations": [
                    {"Event": "s3:ObjectCreated:*", "Queue": arn},
                    {"Event": "s3:ObjectRemoved:*", "Queue": arn},
                ]
            }
        },
    )
    thumbnails.has_resource_properties("AWS::SQS::Queue", {"RedrivePolicy": {"maxReceiveCount": 3}})


def test_only_originals_accept_upload_forms_from_pages_of_any_origin(thumbnails: Template) -> None:
    buckets = thumbnails.find_resources("AWS::S3::Bucket").items()
    rules = {name: bucket["Properties"].get("CorsConfiguration", {}).get("CorsRules") for name, bucket in buckets}
    (originals,) = [rules.pop(name) for name in list(rules) if name.startswith("Originals")]
    assert [(rule["AllowedMethods"], rule["AllowedOrigins"]) for rule in originals] == [(["POST"], ["*"])]
    assert list(rules.values()) == [None]


def test_event_source_mapping_reports_each_photo_and_limits_concurrency(thumbnails: Template) -> None:
    thumbnails.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {"FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": 5}},
    )


def test_function_runs_python_313_on_arm64_with_tracing(thumbnails: Template) -> None:
    thumbnails.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": ["arm64"],
            "Runtime": "python3.13",
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": Match.object_like({"LogFormat": "JSON"}),
        },
    )


@pytest.mark.guarantee("Reports every failure")
@pytest.mark.parametrize(
    ("metric", "threshold"), [("ApproximateNumberOfMessagesVisible", 1), ("ApproximateAgeOfOldestMessage", 900)]
)
def test_alarms_monitor_the_dead_letter_queue_and_waiting_photos(
    thumbnails: Template, metric: str, threshold: int
) -> None:
    thumbnails.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": metric,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        },
    )


def test_catalogue_is_on_demand_and_has_an_index_for_newest_first(thumbnails: Template) -> None:
    key_schema = [
        {"AttributeName": "listing", "KeyType": "HASH"},
        {"AttributeName": "created_at", "KeyType": "RANGE"},
    ]
    index = Match.object_like({"IndexName": "newest-first", "KeySchema": key_schema})
    thumbnails.has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
            "GlobalSecondaryIndexes": Match.array_with([index]),
        },
    )
