"""The sandbox guarantees that hold for every stack: closed, and nothing left behind."""

import json
from pathlib import Path

import pytest

from tests.templates import STATEFUL_TYPES, Resources, of_type, read_all_resources


@pytest.fixture(scope="module")
def resources(each_assembly: Path) -> Resources:
    return read_all_resources(each_assembly)


def _in_same_stack(name: str, reference: dict[str, str]) -> str:
    """The name of a resource that another one refers to with Ref."""
    return f"{name.split('/')[0]}/{reference['Ref']}"


@pytest.mark.guarantee("Leaves nothing behind")
def test_stateful_resources_are_deleted_with_their_stack(resources: Resources) -> None:
    stateful = {name: resource for name, resource in resources.items() if resource["Type"] in STATEFUL_TYPES}
    kept = [
        name
        for name, resource in stateful.items()
        if (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("Delete", "Delete")
    ]
    assert stateful and kept == []


@pytest.mark.guarantee("Closed")
@pytest.mark.guarantee("Leaves nothing behind")
def test_buckets_are_private_encrypted_tls_only_and_emptied_on_delete(resources: Resources) -> None:
    tls_only = {
        _in_same_stack(name, policy["Properties"]["Bucket"])
        for name, policy in of_type(resources, "AWS::S3::BucketPolicy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", {"AWS": "*"})
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    emptied = {
        _in_same_stack(name, custom["Properties"]["BucketName"])
        for name, custom in of_type(resources, "Custom::S3AutoDeleteObjects").items()
    }
    buckets = of_type(resources, "AWS::S3::Bucket")
    assert buckets.keys() == tls_only == emptied
    for name, bucket in buckets.items():
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(bucket["Properties"]["PublicAccessBlockConfiguration"]) == 4, name
        assert "BucketEncryption" in bucket["Properties"], name
        # Auto-delete would have to delete every version.
        assert "VersioningConfiguration" not in bucket["Properties"], name


@pytest.mark.guarantee("Closed")
def test_queues_require_tls(resources: Resources) -> None:
    tls_only = {
        _in_same_stack(name, queue)
        for name, policy in of_type(resources, "AWS::SQS::QueuePolicy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for queue in policy["Properties"]["Queues"]
    }
    assert of_type(resources, "AWS::SQS::Queue").keys() == tls_only


@pytest.mark.guarantee("Closed")
def test_resources_with_optional_encryption_are_encrypted(resources: Resources) -> None:
    """Tables, log groups, and repositories always are; `stacks/guardrails.py` explains why the topic is not."""
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        assert queue["Properties"].get("SqsManagedSseEnabled", True) is True, name  # the default
    for name, stream in of_type(resources, "AWS::KinesisFirehose::DeliveryStream").items():
        assert "DeliveryStreamEncryptionConfigurationInput" in stream["Properties"], name
    for name, template in of_type(resources, "AWS::EC2::LaunchTemplate").items():
        disks = template["Properties"]["LaunchTemplateData"]["BlockDeviceMappings"]
        assert disks and all(disk["Ebs"]["Encrypted"] is True for disk in disks), name


@pytest.mark.guarantee("Closed")
def test_instances_have_no_key_pair_and_require_imdsv2_within_one_hop(resources: Resources) -> None:
    for name, template in of_type(resources, "AWS::EC2::LaunchTemplate").items():
        assert "KeyName" not in template["Properties"]["LaunchTemplateData"], name
        options = template["Properties"]["LaunchTemplateData"]["MetadataOptions"]
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1), name


@pytest.mark.guarantee("Closed")
def test_every_instance_uses_a_launch_template(resources: Resources) -> None:
    groups = of_type(resources, "AWS::AutoScaling::AutoScalingGroup")
    launched = {name: group["Properties"]["LaunchTemplate"] for name, group in groups.items()}
    for name, environment in of_type(resources, "AWS::Batch::ComputeEnvironment").items():
        compute = environment["Properties"]["ComputeResources"]
        if compute["Type"] in ("EC2", "SPOT"):
            launched[name] = compute["LaunchTemplate"]
    for name, template in launched.items():
        used = _in_same_stack(name, template["LaunchTemplateId"])
        assert resources[used]["Type"] == "AWS::EC2::LaunchTemplate", name
    assert not [name for name, resource in resources.items() if resource["Type"] == "AWS::EC2::Instance"]


@pytest.mark.guarantee("Leaves nothing behind")
def test_everything_logs_for_a_week_to_a_log_group_of_its_stack(resources: Resources) -> None:
    """CodeBuild creates /aws/codebuild/… if its role allows it, and the `awslogs` driver can create groups, too."""
    functions, tasks, jobs, builds = (
        {name: resource["Properties"] for name, resource in of_type(resources, f"AWS::{kind}").items()}
        for kind in ("Lambda::Function", "ECS::TaskDefinition", "Batch::JobDefinition", "CodeBuild::Project")
    )
    containers = {name: container for name, task in tasks.items() for container in task["ContainerDefinitions"]}
    containers |= {name: job["ContainerProperties"] for name, job in jobs.items()}
    options = {name: container["LogConfiguration"]["Options"] for name, container in containers.items()}
    assert not [name for name, given in options.items() if "awslogs-create-group" in given]
    groups = {name: function["LoggingConfig"]["LogGroup"] for name, function in functions.items()}
    groups |= {name: build["LogsConfig"]["CloudWatchLogs"]["GroupName"] for name, build in builds.items()}
    groups |= {name: given["awslogs-group"] for name, given in options.items()}
    for name, group in groups.items():
        assert resources[_in_same_stack(name, group)]["Type"] == "AWS::Logs::LogGroup", name
    for name, resource in of_type(resources, "AWS::Logs::LogGroup").items():
        assert resource["Properties"]["RetentionInDays"] == 7, name


@pytest.mark.guarantee("Leaves nothing behind")
def test_no_role_can_create_a_log_group(resources: Resources) -> None:
    """A log group that a service creates belongs to no stack."""
    for resource_type in ("AWS::IAM::Role", "AWS::IAM::Policy"):
        for name, resource in of_type(resources, resource_type).items():
            text = json.dumps(resource["Properties"])
            assert "AWSLambdaBasicExecutionRole" not in text and "logs:CreateLogGroup" not in text, name
    assert not [name for name, it in resources.items() if it["Type"] == "AWS::IAM::ManagedPolicy"]


@pytest.mark.guarantee("Deploys the first time")
def test_no_function_reserves_concurrency(resources: Resources) -> None:
    """A new account has none to reserve."""
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert "ReservedConcurrentExecutions" not in function["Properties"], name


def test_python_functions_run_on_the_platform_of_their_packages(resources: Resources) -> None:
    functions = [it["Properties"] for it in of_type(resources, "AWS::Lambda::Function").values()]
    images = [function for function in functions if function.get("PackageType") == "Image"]
    packages = [function for function in functions if function.get("Handler", "").endswith(".handler.handler")]
    assert packages
    assert {function["Runtime"] for function in packages} == {"python3.13"}
    for function in (*packages, *images):
        assert function["Architectures"] == ["arm64"]
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
