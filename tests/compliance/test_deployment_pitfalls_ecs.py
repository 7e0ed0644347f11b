"""Traps of a first deployment, or of `cdk destroy`, with containers. Each is named with where it was met."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

pytestmark = pytest.mark.guarantee("Deploys the first time")


@pytest.fixture(scope="module")
def ecs(template: Callable[[str], Template]) -> dict[str, dict[str, Any]]:
    resources: dict[str, dict[str, Any]] = template("Ecs").to_json()["Resources"]
    return resources


def _of_type(resources: dict[str, dict[str, Any]], resource_type: str) -> dict[str, dict[str, Any]]:
    return {name: found for name, found in resources.items() if found["Type"] == resource_type}


def _service(ecs: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    (service,) = [found for key, found in _of_type(ecs, "AWS::ECS::Service").items() if key.startswith(name)]
    return service


@pytest.fixture(scope="module")
def images(ecs: dict[str, dict[str, Any]], template: Callable[[str], Template]) -> dict[str, str]:
    """The image of each task and job, as its template has it."""
    tasks = _of_type(ecs, "AWS::ECS::TaskDefinition").items()
    jobs = template("Batch").find_resources("AWS::Batch::JobDefinition").items()
    found = {name: task["Properties"]["ContainerDefinitions"][0]["Image"] for name, task in tasks}
    found |= {name: job["Properties"]["ContainerProperties"]["Image"] for name, job in jobs}
    return {name: json.dumps(image) for name, image in found.items()}


def test_an_image_exists_before_what_runs_it(images: dict[str, str], assembly: Path) -> None:
    # aws-cdk 3646, 14994, 7746. The repository is an answer of the build, in a stack that is deployed before.
    registry = json.loads((assembly / "Registry.template.json").read_text())
    builds = _of_type(registry["Resources"], "Custom::ContainerImage")
    answers = [
        name for name, output in registry["Outputs"].items() if output["Value"].get("Fn::GetAtt", [None])[0] in builds
    ]
    for name, image in images.items():
        assert any(answer in image for answer in answers), name


def test_a_new_image_is_a_change_of_what_runs_it(images: dict[str, str], template: Callable[[str], Template]) -> None:
    # The CDK skips a stack whose template is the same, and CloudFormation does not follow the outputs of another
    # stack (CloudFormation reference, "Fn::GetStackOutput"): the old image would go on running.
    tags = {
        built["Properties"]["ImageTag"]
        for built in template("Registry").find_resources("Custom::ContainerImage").values()
    }
    for name, image in images.items():
        assert any(f":{tag}" in image for tag in tags), name


def test_images_are_built_one_after_the_other(template: Callable[[str], Template]) -> None:
    # "Cannot have more than 1 builds in queue for the account": CodeBuild refuses a new account's second build
    # (aws-cdk 17744, landing-zone-accelerator 249).
    builds = template("Registry").find_resources("Custom::ContainerImage")
    firsts = [name for name, built in builds.items() if not builds.keys() & set(built["DependsOn"])]
    assert len(firsts) == 1


def test_a_build_may_ask_for_the_tag_that_it_pushes(template: Callable[[str], Template]) -> None:
    # Clients of Docker with containerd's store do; "403 Forbidden" otherwise (ECR guide, "image-push-iam").
    policies = template("Registry").find_resources("AWS::IAM::Policy").values()
    pushing = [
        statement["Action"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "ecr:PutImage" in statement["Action"]
    ]
    assert pushing and all("ecr:BatchGetImage" in actions for actions in pushing)


def test_a_build_that_never_starts_does_not_hang_the_deployment(template: Callable[[str], Template]) -> None:
    # CloudFormation waits an hour for a custom resource that does not answer, unless it is told otherwise.
    for built in template("Registry").find_resources("Custom::ContainerImage").values():
        assert int(built["Properties"]["ServiceTimeout"]) <= 15 * 60


def test_builds_log_to_a_group_that_goes_with_the_stack(template: Callable[[str], Template]) -> None:
    # CodeBuild makes /aws/codebuild/… by itself where it may.
    for name, project in template("Registry").find_resources("AWS::CodeBuild::Project").items():
        group = project["Properties"]["LogsConfig"]["CloudWatchLogs"]["GroupName"]["Ref"]
        assert group in template("Registry").find_resources("AWS::Logs::LogGroup"), name


def test_containers_log_to_groups_that_go_with_the_stack(ecs: dict[str, dict[str, Any]]) -> None:
    for name, task in _of_type(ecs, "AWS::ECS::TaskDefinition").items():
        (container,) = task["Properties"]["ContainerDefinitions"]
        group = container["LogConfiguration"]["Options"]["awslogs-group"]["Ref"]
        assert ecs[group]["Type"] == "AWS::Logs::LogGroup", name
        assert "awslogs-create-group" not in container["LogConfiguration"]["Options"], name


def test_a_fargate_task_in_a_public_subnet_can_fetch_its_image(ecs: dict[str, dict[str, Any]]) -> None:
    network = _service(ecs, "Fargate")["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "ENABLED"


def test_tasks_on_ec2_share_the_address_of_their_host(ecs: dict[str, dict[str, Any]]) -> None:
    # With an address of their own they would have no public one, and without a NAT gateway no way out (ECS guide).
    definition = ecs[_service(ecs, "Ec2")["Properties"]["TaskDefinition"]["Ref"]]["Properties"]
    assert definition["NetworkMode"] == "bridge"
    (mapping,) = definition["ContainerDefinitions"][0]["PortMappings"]
    assert mapping["HostPort"] == 0  # two tasks may meet on one host


def test_the_load_balancer_reaches_the_ports_that_hosts_choose(ecs: dict[str, dict[str, Any]]) -> None:
    # The CDK writes this rule for hosts it adds itself, not for those of a capacity provider.
    for direction, field in (("Ingress", "GroupId"), ("Egress", "DestinationSecurityGroupId")):
        rules = _of_type(ecs, f"AWS::EC2::SecurityGroup{direction}").values()
        assert [
            rule["Properties"]
            for rule in rules
            if "Hosts" in json.dumps(rule["Properties"][field])
            and (rule["Properties"]["FromPort"], rule["Properties"]["ToPort"]) == (32768, 65535)
        ], direction


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_a_deployment_that_does_not_start_ends_and_is_taken_back(ecs: dict[str, dict[str, Any]], service: str) -> None:
    # aws-cdk 1498: without a circuit breaker it hangs for hours.
    properties = _service(ecs, service)["Properties"]
    assert properties["DeploymentConfiguration"] == {
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "MaximumPercent": 200,  # beside the old version,
        "MinimumHealthyPercent": 100,  # which stays until the new one is healthy
    }
    assert properties["HealthCheckGracePeriodSeconds"] == 60


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_services_come_after_the_list_of_capacity_providers_and_go_before_it(
    ecs: dict[str, dict[str, Any]], service: str
) -> None:
    # aws-cdk 15366: "The specified capacity provider is in use and cannot be removed".
    (associations,) = _of_type(ecs, "AWS::ECS::ClusterCapacityProviderAssociations")
    assert associations in _service(ecs, service)["DependsOn"]


def test_hosts_do_not_put_off_their_end(ecs: dict[str, dict[str, Any]]) -> None:
    # aws-cdk 14732, 18179: `cdk destroy` hangs.
    (provider,) = _of_type(ecs, "AWS::ECS::CapacityProvider").values()
    group = provider["Properties"]["AutoScalingGroupProvider"]
    assert group["ManagedTerminationProtection"] == "DISABLED"
    assert group["ManagedDraining"] == "DISABLED"
    assert _of_type(ecs, "AWS::AutoScaling::LifecycleHook") == {}
    (hosts,) = _of_type(ecs, "AWS::AutoScaling::AutoScalingGroup").values()
    assert not hosts["Properties"].get("NewInstancesProtectedFromScaleIn")


def test_the_cluster_goes_after_its_hosts(ecs: dict[str, dict[str, Any]]) -> None:
    # aws-cdk 18179: "The Cluster cannot be deleted while Container Instances are active or draining".
    (cluster,) = _of_type(ecs, "AWS::ECS::Cluster")
    (template,) = _of_type(ecs, "AWS::EC2::LaunchTemplate")
    (group,) = _of_type(ecs, "AWS::AutoScaling::AutoScalingGroup").values()
    assert template in json.dumps(group["Properties"]["LaunchTemplate"])
    assert cluster in json.dumps(ecs[template]["Properties"]["LaunchTemplateData"]["UserData"])


def test_no_launch_configuration_which_new_accounts_refuse(ecs: dict[str, dict[str, Any]]) -> None:
    assert _of_type(ecs, "AWS::AutoScaling::LaunchConfiguration") == {}


def test_everything_is_for_graviton(ecs: dict[str, dict[str, Any]], template: Callable[[str], Template]) -> None:
    # An image for one processor does not start on another: "exec format error".
    definition = ecs[_service(ecs, "Fargate")["Properties"]["TaskDefinition"]["Ref"]]["Properties"]
    assert definition["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    parameters = json.dumps(template("Ecs").to_json()["Parameters"])
    assert "amazon-linux-2023/arm64" in parameters
