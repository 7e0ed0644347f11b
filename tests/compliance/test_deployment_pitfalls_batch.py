"""Pitfalls of AWS Batch: each has broken a deployment, update, or destroy, and no linter detects it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.templates import Resources, of_type, only, read_resources, read_template

pytestmark = pytest.mark.guarantee("Deploys the first time")


def _all(batch: Resources, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in of_type(batch, f"AWS::Batch::{kind}").values()]


def test_compute_environments_are_replaced_and_run_in_a_new_account(batch: Resources) -> None:
    """An update in place, for example of maxvCpus, fails (aws-cdk 27054). With a wrong service role, an environment can
    neither work nor be deleted (aws-cdk 20727). Batch uses the first version of a launch template unless a version is
    given (LaunchTemplateSpecification). BEST_FIT on Spot needs a fleet role, which a new account lacks. A new account
    has five On-Demand vCPUs, of which an instance of ECS uses two; five Spot vCPUs; six Fargate vCPUs."""
    quotas = {"EC2": 5 - 2, "SPOT": 5, "FARGATE": 6}
    strategies = {"EC2": "BEST_FIT_PROGRESSIVE", "SPOT": "SPOT_PRICE_CAPACITY_OPTIMIZED", "FARGATE": None}
    for environment in _all(batch, "ComputeEnvironment"):
        compute = environment["ComputeResources"]
        assert environment["ReplaceComputeEnvironment"] is True
        assert "ServiceRole" not in environment and "SpotIamFleetRole" not in compute
        assert compute.get("AllocationStrategy") == strategies[compute["Type"]]
        assert compute["MaxvCpus"] <= quotas[compute["Type"]]
        if template := compute.get("LaunchTemplate"):
            assert template["Version"]["Fn::GetAtt"][1] == "LatestVersionNumber"


def test_batch_accepts_the_instance_types(batch: Resources) -> None:
    """ "Instance type can only be one of …": Batch rejects t3, t3a, and t4g (open-supply-hub 1058)."""
    for environment in _all(batch, "ComputeEnvironment"):
        assert not [name for name in environment["ComputeResources"].get("InstanceTypes", []) if name.startswith("t")]


@pytest.mark.parametrize("kind", ["ComputeEnvironment", "JobQueue"])
def test_replaced_resources_have_no_fixed_name(batch: Resources, kind: str) -> None:
    """A replacement is created before the old resource is deleted. Job definitions have revisions instead."""
    assert not [properties for properties in _all(batch, kind) if f"{kind}Name" in properties]


def test_no_other_stack_uses_a_revision_number(batch: Resources, assembly: Path) -> None:
    """An update deregisters the previous revision ("SkipDeregisterOnUpdate" in the CloudFormation reference) without
    updating the stack that uses it: "JobDefinition is not active"."""
    outputs = read_template(assembly, "Batch")["Outputs"]
    definitions = [{"Ref": name} for name in of_type(batch, "AWS::Batch::JobDefinition")]
    numbered = [name for name, output in outputs.items() if output["Value"] in definitions]
    assert numbered
    for file in assembly.glob("*.template.json"):
        assert not any(f'"OutputName": "{name}"' in file.read_text() for name in numbered), file.name


def test_jobs_can_be_submitted_by_name_with_any_revision(batch: Resources, assembly: Path) -> None:
    """A permission for the name does not cover revisions ("Accounting for job definition revisions", Batch guide)."""
    api = json.dumps(read_template(assembly, "Api"))
    names = [definition["JobDefinitionName"] for definition in _all(batch, "JobDefinition")]
    for name in [name for name in names if not name.endswith("-remake")]:  # the API submits no remakes
        for suffix in ("", ":*"):
            assert f':job-definition/{name}{suffix}"' in api


def test_queues_are_deleted_before_their_environments_and_use_one_kind(batch: Resources) -> None:
    """An environment in a queue cannot be deleted. The reference makes CloudFormation delete the queue first. Batch
    rejects a queue with both EC2 and Fargate environments."""
    for queue in _all(batch, "JobQueue"):
        kinds = set()
        for entry in queue["ComputeEnvironmentOrder"]:
            (name, attribute) = entry["ComputeEnvironment"]["Fn::GetAtt"]
            assert attribute == "ComputeEnvironmentArn"
            kinds.add(batch[name]["Properties"]["ComputeResources"]["Type"].startswith("FARGATE"))
        assert len(kinds) == 1


def test_fargate_jobs_can_pull_their_image(batch: Resources) -> None:
    """In a public subnet without a NAT gateway, a job needs a public address, and a role to authenticate."""
    (fargate,) = [it for it in _all(batch, "JobDefinition") if it["PlatformCapabilities"] == ["FARGATE"]]
    assert fargate["ContainerProperties"]["NetworkConfiguration"] == {"AssignPublicIp": "ENABLED"}
    assert "ExecutionRoleArn" in fargate["ContainerProperties"]


@pytest.mark.parametrize("stack", ["Batch", "Ecs"])
def test_ebs_volumes_are_deleted_with_their_instances(assembly: Path, stack: str) -> None:
    """An EBS volume that outlives its instance costs money every month."""
    _, template = only(read_resources(assembly, stack), "AWS::EC2::LaunchTemplate")
    for disk in template["LaunchTemplateData"]["BlockDeviceMappings"]:
        assert disk["Ebs"]["DeleteOnTermination"] is True


def test_instance_role_keeps_its_policy_while_instances_run(batch: Resources) -> None:
    """A job that still runs after the policy is deleted cannot report how it ended."""
    policies = of_type(batch, "AWS::IAM::Policy")
    (policy,) = [name for name, found in policies.items() if "ecs:DeregisterContainerInstance" in json.dumps(found)]
    for name, environment in of_type(batch, "AWS::Batch::ComputeEnvironment").items():
        if "InstanceRole" in environment["Properties"]["ComputeResources"]:
            assert policy in environment["DependsOn"], name


def test_jobs_have_a_region(batch: Resources) -> None:
    """ECS agents on EC2 set no region before April 2026 (amazon-ecs-agent 3106), and boto3 needs one."""
    for definition in _all(batch, "JobDefinition"):
        variables = {entry["Name"]: entry["Value"] for entry in definition["ContainerProperties"]["Environment"]}
        assert variables["AWS_DEFAULT_REGION"] == {"Ref": "AWS::Region"}
