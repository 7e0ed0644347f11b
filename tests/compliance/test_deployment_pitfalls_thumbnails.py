"""Traps of S3, SQS and Lambda together: each broke a first deployment or a destroy, or let one part starve another."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

pytestmark = pytest.mark.guarantee("Deploys the first time")

_Resources = dict[str, dict[str, Any]]

# Functions that run at once in a new account (Lambda quotas).
_OF_A_NEW_ACCOUNT = 10


@pytest.fixture(scope="module")
def resources(template: Callable[[str], Template]) -> _Resources:
    found: _Resources = template("Thumbnails").to_json()["Resources"]
    return found


def _one(resources: _Resources, kind: str, **properties: Any) -> tuple[str, dict[str, Any]]:
    ((name, found),) = [
        (name, found)
        for name, found in resources.items()
        if found["Type"] == kind and properties.items() <= found.get("Properties", {}).items()
    ]
    return name, found


def test_the_queue_lets_the_bucket_in_before_the_bucket_tries(resources: _Resources) -> None:
    """ "Unable to validate the following destination configurations": S3 sends a message when it is set up."""
    ((_, bucket),) = [
        (name, found)
        for name, found in resources.items()
        if found["Type"] == "AWS::S3::Bucket" and "NotificationConfiguration" in found["Properties"]
    ]
    queues = {
        entry["Queue"]["Fn::GetAtt"][0]
        for entry in bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    }
    let_in = {
        queue["Ref"]
        for name in bucket["DependsOn"]
        if resources[name]["Type"] == "AWS::SQS::QueuePolicy" and "s3.amazonaws.com" in json.dumps(resources[name])
        for queue in resources[name]["Properties"]["Queues"]
    }
    assert queues == let_in


def test_thumbnails_are_removed_after_their_last_writer_is_gone(resources: _Resources) -> None:
    """One that comes while the bucket is emptied keeps it, and its stack: "BucketNotEmpty" (aws-cdk 20660, 26874)."""
    name, function = _one(resources, "AWS::Lambda::Function", Handler="thumbnail.handler.handler")
    bucket = function["Properties"]["Environment"]["Variables"]["THUMBNAILS_BUCKET"]
    emptying, _ = _one(resources, "Custom::S3AutoDeleteObjects", BucketName=bucket)
    assert emptying in function["DependsOn"]
    _, mapping = _one(resources, "AWS::Lambda::EventSourceMapping")
    assert mapping["Properties"]["FunctionName"] == {"Ref": name}, "nothing starts it any more when it goes"


def test_the_function_waits_for_its_rights_as_the_mapping_is_refused_without(resources: _Resources) -> None:
    """ "The provided execution role does not have permissions to call ReceiveMessage on SQS"."""
    _, function = _one(resources, "AWS::Lambda::Function", Handler="thumbnail.handler.handler")
    ((policy, _),) = [
        (name, found)
        for name, found in resources.items()
        if found["Type"] == "AWS::IAM::Policy" and "sqs:ReceiveMessage" in json.dumps(found)
    ]
    assert policy in function["DependsOn"]


def test_a_message_stays_hidden_six_times_as_long_as_the_function_may_take(resources: _Resources) -> None:
    """Lambda guide, "Configuring a queue"; less than once as long is refused when the mapping is made."""
    _, function = _one(resources, "AWS::Lambda::Function", Handler="thumbnail.handler.handler")
    _, mapping = _one(resources, "AWS::Lambda::EventSourceMapping")
    queue = resources[mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0]]
    assert queue["Properties"]["VisibilityTimeout"] >= 6 * function["Properties"]["Timeout"]


def test_a_flood_of_uploads_leaves_functions_to_the_others(assembly: Path) -> None:
    """What a queue starts at once is taken from what the API and the sweep can get, in an account that has ten."""
    mappings = [
        resource["Properties"]
        for file in assembly.glob("*.template.json")
        for resource in json.loads(file.read_text())["Resources"].values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    assert mappings
    assert sum(mapping["ScalingConfig"]["MaximumConcurrency"] for mapping in mappings) <= _OF_A_NEW_ACCOUNT // 2
