"""The promises of the sandbox, for every stack: closed, and nothing left behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Resources that keep data or outlive their stack unless told otherwise.
_STATEFUL = {
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}


@pytest.fixture(scope="module")
def resources(assembly: Path) -> dict[str, dict[str, Any]]:
    """Every resource of every stack, by `stack/logical id`."""
    return {
        f"{file.name.split('.')[0]}/{name}": resource
        for file in sorted(assembly.glob("*.template.json"))
        for name, resource in json.loads(file.read_text()).get("Resources", {}).items()
    }


def _of_type(resources: dict[str, dict[str, Any]], resource_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, found["Properties"]) for name, found in resources.items() if found["Type"] == resource_type)


def _beside(name: str, reference: dict[str, str]) -> str:
    """What a resource refers to in its own stack."""
    return f"{name.split('/')[0]}/{reference['Ref']}"


@pytest.mark.guarantee("Leaves nothing behind")
def test_every_stateful_resource_is_deleted_with_its_stack(resources: dict[str, dict[str, Any]]) -> None:
    stateful = {name: resource for name, resource in resources.items() if resource["Type"] in _STATEFUL}
    kept = [
        name
        for name, resource in stateful.items()
        if resource.get("DeletionPolicy") != "Delete" or resource.get("UpdateReplacePolicy") != "Delete"
    ]
    assert stateful and kept == []


@pytest.mark.guarantee("Closed")
@pytest.mark.guarantee("Leaves nothing behind")
def test_every_bucket_is_private_encrypted_reached_over_tls_and_emptied(resources: dict[str, dict[str, Any]]) -> None:
    denials = {
        _beside(policy, properties["Bucket"])
        for policy, properties in _of_type(resources, "AWS::S3::BucketPolicy")
        for statement in properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Action"] == "s3:*"
        and statement["Principal"] == {"AWS": "*"}
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    emptied = {
        _beside(custom, properties["BucketName"])
        for custom, properties in _of_type(resources, "Custom::S3AutoDeleteObjects")
    }
    buckets = [*_of_type(resources, "AWS::S3::Bucket")]
    assert buckets
    for name, properties in buckets:
        assert properties["PublicAccessBlockConfiguration"] == dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        ), name
        assert "BucketEncryption" in properties, name
        assert name in denials, name
        assert name in emptied, name
        # What empties a bucket would have to delete each version too.
        assert "VersioningConfiguration" not in properties, name


@pytest.mark.guarantee("Closed")
def test_every_queue_is_reached_over_tls_only(resources: dict[str, dict[str, Any]]) -> None:
    denials = {
        _beside(policy, queue)
        for policy, properties in _of_type(resources, "AWS::SQS::QueuePolicy")
        for statement in properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for queue in properties["Queues"]
    }
    assert {name for name, _ in _of_type(resources, "AWS::SQS::Queue")} == denials


@pytest.mark.guarantee("Closed")
def test_encryption_at_rest_is_on_wherever_there_is_a_choice(resources: dict[str, dict[str, Any]]) -> None:
    """Tables, log groups and repositories are always encrypted. Of the topic: `stacks/guardrails.py` says why not."""
    queues = [*_of_type(resources, "AWS::SQS::Queue")]
    streams = [*_of_type(resources, "AWS::KinesisFirehose::DeliveryStream")]
    launched = [*_of_type(resources, "AWS::EC2::LaunchTemplate")]
    for name, properties in queues:
        assert properties.get("SqsManagedSseEnabled", True) is True, name  # the default
    for name, properties in streams:
        assert "DeliveryStreamEncryptionConfigurationInput" in properties, name
    for name, properties in launched:
        disks = properties["LaunchTemplateData"]["BlockDeviceMappings"]
        assert disks and all(disk["Ebs"]["Encrypted"] is True for disk in disks), name


@pytest.mark.guarantee("Closed")
def test_no_host_gives_its_credentials_without_a_token_or_beyond_itself(resources: dict[str, dict[str, Any]]) -> None:
    templates = [*_of_type(resources, "AWS::EC2::LaunchTemplate")]
    assert templates
    for name, properties in templates:
        options = properties["LaunchTemplateData"]["MetadataOptions"]
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1), name


def test_every_host_is_of_such_a_template(resources: dict[str, dict[str, Any]]) -> None:
    hosts = [
        *((name, properties) for name, properties in _of_type(resources, "AWS::AutoScaling::AutoScalingGroup")),
        *(
            (name, properties["ComputeResources"])
            for name, properties in _of_type(resources, "AWS::Batch::ComputeEnvironment")
            if properties["ComputeResources"]["Type"] in ("EC2", "SPOT")
        ),
    ]
    assert hosts
    for name, properties in hosts:
        template = _beside(name, properties["LaunchTemplate"]["LaunchTemplateId"])
        assert resources[template]["Type"] == "AWS::EC2::LaunchTemplate", name
    assert not [name for name, _ in _of_type(resources, "AWS::EC2::Instance")]


@pytest.mark.guarantee("Leaves nothing behind")
def test_every_function_logs_to_a_group_that_a_stack_owns(resources: dict[str, dict[str, Any]]) -> None:
    functions = [*_of_type(resources, "AWS::Lambda::Function")]
    assert functions
    for name, properties in functions:
        group = properties.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        owned = resources.get(f"{name.split('/')[0]}/{group}", {})
        assert owned.get("Type") == "AWS::Logs::LogGroup", name


def test_no_log_is_kept_longer_than_a_week(resources: dict[str, dict[str, Any]]) -> None:
    groups = [*_of_type(resources, "AWS::Logs::LogGroup")]
    assert groups
    for name, properties in groups:
        assert properties["RetentionInDays"] == 7, name


@pytest.mark.guarantee("Leaves nothing behind")
def test_no_role_may_make_log_groups_which_would_outlive_their_stack(resources: dict[str, dict[str, Any]]) -> None:
    kinds = ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    rights = {name: json.dumps(found["Properties"]) for name, found in resources.items() if found["Type"] in kinds}
    assert rights
    for name, text in rights.items():
        assert "AWSLambdaBasicExecutionRole" not in text, name
        assert "logs:CreateLogGroup" not in text, name


def test_no_function_reserves_concurrency_which_new_accounts_lack(resources: dict[str, dict[str, Any]]) -> None:
    for name, properties in _of_type(resources, "AWS::Lambda::Function"):
        assert "ReservedConcurrentExecutions" not in properties, name
