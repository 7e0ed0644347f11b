"""Pitfalls of containers on ECS: each has broken a first deployment or `cdk destroy`."""

import json
from pathlib import Path

import pytest

from tests.templates import (
    Resource,
    Resources,
    actions,
    of_type,
    only,
    read_all_resources,
    read_template,
    statements,
)

pytestmark = pytest.mark.guarantee("Deploys the first time")


@pytest.fixture(scope="module")
def images(each_assembly: Path) -> dict[str, str]:
    """The image of each task, job, and function, as JSON of its template."""
    resources = read_all_resources(each_assembly)
    tasks = of_type(resources, "AWS::ECS::TaskDefinition").items()
    jobs = of_type(resources, "AWS::Batch::JobDefinition").items()
    functions = of_type(resources, "AWS::Lambda::Function").items()
    images = {name: task["Properties"]["ContainerDefinitions"][0]["Image"] for name, task in tasks}
    images |= {name: job["Properties"]["ContainerProperties"]["Image"] for name, job in jobs}
    codes = {name: function["Properties"]["Code"] for name, function in functions}
    images |= {name: code["ImageUri"] for name, code in codes.items() if "ImageUri" in code}
    return {name: json.dumps(image) for name, image in images.items()}


def _service(ecs: Resources, name: str) -> Resource:
    (service,) = [service for key, service in of_type(ecs, "AWS::ECS::Service").items() if key.startswith(name)]
    return service


def _task(ecs: Resources, service: str) -> Resource:
    return ecs[_service(ecs, service)["Properties"]["TaskDefinition"]["Ref"]]


def test_images_exist_before_what_runs_them(images: dict[str, str], registry: Resources, each_assembly: Path) -> None:
    """The repository is an output of the build, whose stack is deployed first (aws-cdk 3646, 14994, 7746)."""
    builds = of_type(registry, "Custom::ContainerImage")
    outputs = [
        name
        for name, output in read_template(each_assembly, "Registry")["Outputs"].items()
        if output["Value"].get("Fn::GetAtt", [None])[0] in builds
    ]
    for name, image in images.items():
        assert any(output in image for output in outputs), name


def test_new_image_changes_the_templates_of_what_runs_it(images: dict[str, str], registry: Resources) -> None:
    """The CDK CLI skips a stack with an unchanged template, and CloudFormation does not follow the outputs of another
    stack ("Fn::GetStackOutput" in its reference): the old image would continue to run."""
    tags = {it["Properties"]["ImageTag"] for it in of_type(registry, "Custom::ContainerImage").values()}
    for name, image in images.items():
        assert any(f":{tag}" in image for tag in tags), name


def test_images_are_built_one_after_the_other(registry: Resources) -> None:
    """ "Cannot have more than 1 builds in queue for the account": CodeBuild rejects the second build of a new account
    (aws-cdk 17744, landing-zone-accelerator 249)."""
    builds = of_type(registry, "Custom::ContainerImage")
    predecessors = [builds.keys() & set(build["DependsOn"]) for build in builds.values()]
    assert sorted(map(len, predecessors)) == [0] + [1] * (len(builds) - 1)
    assert len(set().union(*predecessors)) == len(builds) - 1


def test_builds_can_query_the_tag_that_they_push(registry: Resources) -> None:
    """Docker's containerd image store queries the tag, or fails with 403 ("image-push-iam" in the ECR guide)."""
    projects = of_type(registry, "AWS::CodeBuild::Project").values()
    roles = {project["Properties"]["ServiceRole"]["Fn::GetAtt"][0] for project in projects}
    assert len(roles) == len(of_type(registry, "Custom::ContainerImage"))
    for role in roles:
        assert {"ecr:PutImage", "ecr:BatchGetImage"} <= actions(statements(registry, role))


def test_builds_push_images_instead_of_image_indexes(registry: Resources) -> None:
    """Docker adds an attestation, which needs an index. Lambda rejects it (docker/buildx 1533)."""
    for project in of_type(registry, "AWS::CodeBuild::Project").values():
        variables = {it["Name"]: it["Value"] for it in project["Properties"]["Environment"]["EnvironmentVariables"]}
        assert variables["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"


def test_lambda_can_pull_the_image_for_functions_of_this_deployment_only(registry: Resources) -> None:
    """ "Lambda does not have permission to access the ECR image": it pulls with the policy of the repository, not with
    the role of the function ("Amazon ECR permissions" in the Lambda guide)."""
    policies = {
        repository["Properties"]["RepositoryName"]: repository["Properties"]["RepositoryPolicyText"]["Statement"]
        for repository in of_type(registry, "AWS::ECR::Repository").values()
        if "RepositoryPolicyText" in repository["Properties"]
    }
    assert policies.keys() == {"other-compute/thumbnailer"}
    (statement,) = policies["other-compute/thumbnailer"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert actions([statement]) == {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
    functions = json.dumps(statement["Condition"]["StringLike"]["aws:SourceArn"])
    assert ":function:other-compute-Thumbnails-*" in functions and '{"Ref": "AWS::AccountId"}' in functions


def test_build_that_does_not_start_does_not_block_the_deployment(registry: Resources) -> None:
    """By default, CloudFormation waits an hour for a custom resource that does not respond."""
    for build in of_type(registry, "Custom::ContainerImage").values():
        assert int(build["Properties"]["ServiceTimeout"]) <= 15 * 60


def test_fargate_task_in_a_public_subnet_can_pull_its_image(ecs: Resources) -> None:
    network = _service(ecs, "Fargate")["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "ENABLED"


def test_tasks_on_ec2_need_no_internet_access(ecs: Resources) -> None:
    """A task with its own network interface has no public address (ECS guide). The instance pulls its image and writes
    its log; the program itself calls no AWS service, so its role has no permissions."""
    assert _task(ecs, "Ec2")["Properties"]["NetworkMode"] == "awsvpc"
    assert statements(ecs, "Ec2TaskTaskRole") == []


def test_rollout_of_a_task_on_ec2_fits_on_its_instance(ecs: Resources) -> None:
    """Each task needs a network interface, and a t4g.micro has one besides its own (EC2 guide)."""
    _, template = only(ecs, "AWS::EC2::LaunchTemplate")
    assert template["LaunchTemplateData"]["InstanceType"] == "t4g.small"


@pytest.mark.parametrize(("direction", "field"), [("Ingress", "GroupId"), ("Egress", "DestinationSecurityGroupId")])
def test_load_balancer_reaches_the_port_of_all_tasks(ecs: Resources, direction: str, field: str) -> None:
    rules = of_type(ecs, f"AWS::EC2::SecurityGroup{direction}", FromPort=8080, ToPort=8080).values()
    groups = {rule["Properties"][field]["Fn::GetAtt"][0] for rule in rules}
    services = [_service(ecs, name)["Properties"]["NetworkConfiguration"] for name in ("Fargate", "Ec2")]
    assert groups == {it["AwsvpcConfiguration"]["SecurityGroups"][0]["Fn::GetAtt"][0] for it in services}


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_deployment_that_fails_to_start_is_rolled_back(ecs: Resources, service: str) -> None:
    """Without a circuit breaker, it hangs for hours (aws-cdk 1498). Old tasks run until the new ones are healthy."""
    properties = _service(ecs, service)["Properties"]
    assert properties["DeploymentConfiguration"] == {
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "MaximumPercent": 200,
        "MinimumHealthyPercent": 100,
    }
    assert properties["HealthCheckGracePeriodSeconds"] == 60


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_services_depend_on_capacity_provider_associations(ecs: Resources, service: str) -> None:
    """ "The specified capacity provider is in use and cannot be removed" (aws-cdk 15366)."""
    associations, _ = only(ecs, "AWS::ECS::ClusterCapacityProviderAssociations")
    assert associations in _service(ecs, service)["DependsOn"]


def test_cluster_is_deleted_after_its_instances(ecs: Resources) -> None:
    """ "The Cluster cannot be deleted while Container Instances are active or draining" (aws-cdk 18179)."""
    cluster, _ = only(ecs, "AWS::ECS::Cluster")
    name, template = only(ecs, "AWS::EC2::LaunchTemplate")
    _, group = only(ecs, "AWS::AutoScaling::AutoScalingGroup")
    assert name in json.dumps(group["LaunchTemplate"])
    assert cluster in json.dumps(template["LaunchTemplateData"]["UserData"])


def test_everything_runs_on_graviton(ecs: Resources, assembly: Path) -> None:
    """An image for one CPU architecture does not start on another: "exec format error"."""
    assert _task(ecs, "Fargate")["Properties"]["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    assert "amazon-linux-2023/arm64" in json.dumps(read_template(assembly, "Ecs")["Parameters"])
