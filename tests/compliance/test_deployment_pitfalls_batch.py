"""Traps of AWS Batch: each broke a real deployment, update or destroy, and no check of templates sees it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.guarantee("Deploys the first time")


@pytest.fixture(scope="module")
def resources(assembly: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((assembly / "Batch.template.json").read_text())["Resources"]
    return found


def of_type(resources: dict[str, dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    found = [resource["Properties"] for resource in resources.values() if resource["Type"] == f"AWS::Batch::{kind}"]
    assert found, kind
    yield from found


def test_environments_are_replaced_not_updated(resources: dict[str, dict[str, Any]]) -> None:
    """Otherwise a change such as of maxvCpus fails (aws-cdk 27054)."""
    for environment in of_type(resources, "ComputeEnvironment"):
        assert environment["ReplaceComputeEnvironment"] is True


def test_nothing_that_is_replaced_has_a_fixed_name(resources: dict[str, dict[str, Any]]) -> None:
    """A replacement exists beside what it replaces, and two cannot have one name. Definitions have revisions."""
    for kind in ("ComputeEnvironment", "JobQueue"):
        for properties in of_type(resources, kind):
            assert f"{kind}Name" not in properties


def test_no_other_stack_knows_the_number_of_a_revision(resources: dict[str, dict[str, Any]], assembly: Path) -> None:
    """An update of a definition takes the revision before out of use (CloudFormation reference, JobDefinition,
    "SkipDeregisterOnUpdate"), and does not update the stack that knows it: "JobDefinition is not active"."""
    outputs = json.loads((assembly / "Batch.template.json").read_text())["Outputs"]
    definitions = [{"Ref": name} for name, found in resources.items() if found["Type"] == "AWS::Batch::JobDefinition"]
    numbered = [name for name, output in outputs.items() if output["Value"] in definitions]
    assert numbered
    for file in assembly.glob("*.template.json"):
        assert not any(f'"OutputName": "{name}"' in file.read_text() for name in numbered), file.name


def test_jobs_may_be_submitted_by_name_and_are_of_any_revision(
    resources: dict[str, dict[str, Any]], assembly: Path
) -> None:
    """A right to the name alone is not one to any revision (Batch guide, "Accounting for job definition revisions")."""
    api = (assembly / "Api.template.json").read_text()
    for definition in of_type(resources, "JobDefinition"):
        for end in ("", ":*"):
            assert f':job-definition/{definition["JobDefinitionName"]}{end}"' in api


def test_no_service_role_is_named(resources: dict[str, dict[str, Any]]) -> None:
    """An environment with a wrong role neither works nor can be deleted (aws-cdk 20727)."""
    for environment in of_type(resources, "ComputeEnvironment"):
        assert "ServiceRole" not in environment
        assert "SpotIamFleetRole" not in environment["ComputeResources"]


def test_queues_are_deleted_before_their_environments(resources: dict[str, dict[str, Any]]) -> None:
    """An environment that a queue names cannot be deleted: the reference makes CloudFormation keep to that order."""
    for queue in of_type(resources, "JobQueue"):
        for entry in queue["ComputeEnvironmentOrder"]:
            (name, attribute) = entry["ComputeEnvironment"]["Fn::GetAtt"]
            assert attribute == "ComputeEnvironmentArn" and name in resources


def test_environments_of_a_queue_are_all_of_one_kind_and_fit_its_definitions(
    resources: dict[str, dict[str, Any]],
) -> None:
    """Batch refuses a queue of EC2 and Fargate."""
    for queue in of_type(resources, "JobQueue"):
        names = [entry["ComputeEnvironment"]["Fn::GetAtt"][0] for entry in queue["ComputeEnvironmentOrder"]]
        kinds = {resources[name]["Properties"]["ComputeResources"]["Type"].startswith("FARGATE") for name in names}
        assert len(kinds) == 1


def test_a_fargate_job_can_fetch_its_image(resources: dict[str, dict[str, Any]]) -> None:
    """In a public subnet without NAT it needs an address of its own, and a role for it."""
    fargate = [
        definition["ContainerProperties"]
        for definition in of_type(resources, "JobDefinition")
        if definition["PlatformCapabilities"] == ["FARGATE"]
    ]
    assert fargate
    for container in fargate:
        assert container["NetworkConfiguration"] == {"AssignPublicIp": "ENABLED"}
        assert "ExecutionRoleArn" in container


def test_no_more_is_asked_for_than_a_new_account_may_have(resources: dict[str, dict[str, Any]]) -> None:
    """Five vCPUs of EC2 on demand, of which a host of ECS has two; five of Spot (EC2 quotas); six of Fargate."""
    room = {"EC2": 5 - 2, "SPOT": 5, "FARGATE": 6}
    for environment in of_type(resources, "ComputeEnvironment"):
        assert environment["ComputeResources"]["MaxvCpus"] <= room[environment["ComputeResources"]["Type"]]


def test_disks_go_with_their_hosts(assembly: Path) -> None:
    """Who describes a disk decides what becomes of it: one that is left is paid for by the month."""
    for stack in ("Batch", "Ecs"):
        found = json.loads((assembly / f"{stack}.template.json").read_text())["Resources"].values()
        (launched,) = [each["Properties"] for each in found if each["Type"] == "AWS::EC2::LaunchTemplate"]
        for disk in launched["LaunchTemplateData"]["BlockDeviceMappings"]:
            assert disk["Ebs"]["DeleteOnTermination"] is True, stack


def test_a_changed_launch_template_is_used(resources: dict[str, dict[str, Any]]) -> None:
    """Batch takes the default version unless told (Batch API, LaunchTemplateSpecification): the first one for ever."""
    for environment in of_type(resources, "ComputeEnvironment"):
        if launched := environment["ComputeResources"].get("LaunchTemplate"):
            assert launched["Version"]["Fn::GetAtt"][1] == "LatestVersionNumber"


def test_hosts_have_their_rights_as_long_as_there_are_hosts(resources: dict[str, dict[str, Any]]) -> None:
    """A job that still runs when the policy goes cannot tell how it ended."""
    (policy,) = [
        name
        for name, found in resources.items()
        if found["Type"] == "AWS::IAM::Policy" and "ecs:DeregisterContainerInstance" in json.dumps(found)
    ]
    for name, found in resources.items():
        if (
            found["Type"] == "AWS::Batch::ComputeEnvironment"
            and "InstanceRole" in found["Properties"]["ComputeResources"]
        ):
            assert policy in found["DependsOn"], name


def test_no_launch_configuration_and_no_spot_fleet(resources: dict[str, dict[str, Any]]) -> None:
    """Accounts made since October 2024 have none; the strategy BEST_FIT on Spot needs a fleet role besides."""
    strategies = {
        environment["ComputeResources"].get("AllocationStrategy")
        for environment in of_type(resources, "ComputeEnvironment")
    }
    assert strategies == {None, "SPOT_PRICE_CAPACITY_OPTIMIZED", "BEST_FIT_PROGRESSIVE"}


def test_a_job_is_told_its_region(resources: dict[str, dict[str, Any]]) -> None:
    """On EC2 nobody else tells it before the agent of April 2026 (amazon-ecs-agent 3106), and boto3 goes by it."""
    for definition in of_type(resources, "JobDefinition"):
        told = {each["Name"]: each["Value"] for each in definition["ContainerProperties"]["Environment"]}
        assert told["AWS_DEFAULT_REGION"] == {"Ref": "AWS::Region"}
