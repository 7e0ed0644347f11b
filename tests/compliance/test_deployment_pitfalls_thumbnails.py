"""Pitfalls of S3, SQS, and Lambda together: each has broken a first deployment or a destroy, or starved a function."""

import json
from pathlib import Path

import pytest

from tests.templates import Resource, Resources, actions, of_type, only, read_all_resources

pytestmark = [
    pytest.mark.guarantee("Deploys the first time"),
    pytest.mark.parametrize("assembly", ["lambda", "lambda-image"], indirect=True),
]

# Concurrent executions of a new account (Lambda quotas).
_CONCURRENCY_OF_NEW_ACCOUNT = 10
_FOR_API_AND_SWEEP = 3


def _function(thumbnails: Resources) -> tuple[str, Resource]:
    _, mapping = only(thumbnails, "AWS::Lambda::EventSourceMapping")
    name = mapping["FunctionName"]["Ref"]
    return name, thumbnails[name]


def test_queue_policy_exists_before_the_notification(thumbnails: Resources) -> None:
    """ "Unable to validate the following destination configurations": S3 sends a test message."""
    (bucket,) = [
        bucket
        for bucket in of_type(thumbnails, "AWS::S3::Bucket").values()
        if "NotificationConfiguration" in bucket["Properties"]
    ]
    queues = {
        entry["Queue"]["Fn::GetAtt"][0]
        for entry in bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    }
    allowed = {
        queue["Ref"]
        for name in bucket["DependsOn"]
        if thumbnails[name]["Type"] == "AWS::SQS::QueuePolicy" and "s3.amazonaws.com" in json.dumps(thumbnails[name])
        for queue in thumbnails[name]["Properties"]["Queues"]
    }
    assert queues == allowed


def test_thumbnails_bucket_is_emptied_after_its_writer_is_deleted(thumbnails: Resources) -> None:
    """A later object makes the deletion of the bucket fail: "BucketNotEmpty" (aws-cdk 20660, 26874)."""
    _, function = _function(thumbnails)  # the mapping refers to it, so it is deleted before the function
    bucket = function["Properties"]["Environment"]["Variables"]["THUMBNAILS_BUCKET"]
    auto_delete, _ = only(thumbnails, "Custom::S3AutoDeleteObjects", BucketName=bucket)
    assert auto_delete in function["DependsOn"]


def test_late_writes_to_a_bucket_are_denied_while_it_is_emptied(thumbnails: Resources, assembly: Path) -> None:
    """CloudFormation does not wait for an invocation in flight when it deletes a function. The CDK's function denies
    s3:PutObject before it empties the bucket, if it can change the bucket policy."""
    policies = of_type(thumbnails, "AWS::S3::BucketPolicy").values()
    assert len(policies) == 2
    for policy in policies:
        assert "s3:PutBucketPolicy" in actions(policy["Properties"]["PolicyDocument"]["Statement"])
    scripts = [file.read_text() for file in assembly.glob("asset.*/index.js")]
    (script,) = [text for text in scripts if "auto-delete-objects" in text]
    assert "s3:PutObject" in script and script.index("putBucketPolicy") < script.index("listObjectVersions")


def test_function_depends_on_its_policy(thumbnails: Resources) -> None:
    """The event source mapping fails otherwise: "The provided execution role does not have permissions …"."""
    policies = of_type(thumbnails, "AWS::IAM::Policy")
    (policy,) = [name for name, found in policies.items() if "sqs:ReceiveMessage" in json.dumps(found)]
    assert policy in _function(thumbnails)[1]["DependsOn"]


def test_visibility_timeout_is_six_times_the_timeout_of_the_function(thumbnails: Resources) -> None:
    """ "Configuring a queue" in the Lambda guide. With less than the timeout, the mapping is rejected."""
    _, mapping = only(thumbnails, "AWS::Lambda::EventSourceMapping")
    queue = thumbnails[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
    assert queue["Properties"]["VisibilityTimeout"] >= 6 * _function(thumbnails)[1]["Properties"]["Timeout"]


def test_failed_photos_have_five_attempts_over_minutes(thumbnails: Resources) -> None:
    """ "Configuring a queue" in the Lambda guide: Lambda returns messages to the queue when it is throttled, so too few
    receives move photos that nothing is wrong with. Yet a fault that passes quickly delays a photo by seconds only."""
    _, mapping = only(thumbnails, "AWS::Lambda::EventSourceMapping")
    queue = thumbnails[mapping["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]
    variables = _function(thumbnails)[1]["Properties"]["Environment"]["Variables"]
    delays = [int(seconds) for seconds in variables["RETRY_SECONDS"].split()]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == len(delays) + 1 >= 5
    assert delays == sorted(delays) and delays[0] < 10 and sum(delays) > 600
    assert variables["UPLOAD_QUEUE_URL"] == {"Ref": mapping["EventSourceArn"]["Fn::GetAtt"][0]}


def test_event_sources_leave_concurrency_for_other_functions(assembly: Path) -> None:
    """All functions of an account share its concurrency, so every event source needs a maximum."""
    mappings = of_type(read_all_resources(assembly), "AWS::Lambda::EventSourceMapping").items()
    maximum = {name: it["Properties"].get("ScalingConfig", {}).get("MaximumConcurrency") for name, it in mappings}
    assert None not in maximum.values(), maximum
    (uploads,) = [value for name, value in maximum.items() if "UploadsToFunction" in name]
    assert uploads <= _CONCURRENCY_OF_NEW_ACCOUNT // 2
    assert sum(maximum.values()) <= _CONCURRENCY_OF_NEW_ACCOUNT - _FOR_API_AND_SWEEP
