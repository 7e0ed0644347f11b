"""The Ecs stack: two services of one image behind one load balancer."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ecs as ecs
from aws_cdk.assertions import Template

from stacks.ecs import EcsStack
from stacks.network import NetworkStack
from tests.templates import Resources, of_type, only, read_resources

_ELB = "AWS::ElasticLoadBalancingV2"


@pytest.fixture(scope="module")
def resources(assembly: Path) -> Resources:
    return read_resources(assembly, "Ecs")


def _containers(resources: Resources) -> list[dict[str, Any]]:
    tasks = of_type(resources, "AWS::ECS::TaskDefinition").values()
    return [task["Properties"]["ContainerDefinitions"][0] for task in tasks]


def test_listener_shares_requests_equally_between_both_services(resources: Resources) -> None:
    _, listener = only(resources, f"{_ELB}::Listener")
    (action,) = listener["DefaultActions"]
    weights = {group["TargetGroupArn"]["Ref"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}
    services = of_type(resources, "AWS::ECS::Service").values()
    targets = [service["Properties"]["LoadBalancers"][0]["TargetGroupArn"]["Ref"] for service in services]
    assert weights == dict.fromkeys(targets, 1) and len(weights) == 2


def test_load_balancer_checks_the_health_of_each_task(resources: Resources) -> None:
    for group in of_type(resources, f"{_ELB}::TargetGroup").values():
        assert group["Properties"]["HealthCheckPath"] == "/health"
        assert group["Properties"].get("HealthCheckPort", "traffic-port") == "traffic-port"


def test_both_services_run_the_same_image(resources: Resources) -> None:
    first, second = _containers(resources)
    assert first["Image"] == second["Image"]


@pytest.mark.guarantee("Closed")
def test_instances_have_no_key_pair(resources: Resources) -> None:
    _, template = only(resources, "AWS::EC2::LaunchTemplate")
    assert template["LaunchTemplateData"]["InstanceType"] == "t4g.micro"
    assert "KeyName" not in template["LaunchTemplateData"]


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_service_scales_with_the_requests_to_its_target_group(resources: Resources, service: str) -> None:
    policies = of_type(resources, "AWS::ApplicationAutoScaling::ScalingPolicy").items()
    (policy,) = [it["Properties"] for name, it in policies if name.startswith(service)]
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    assert f"To{service}" in json.dumps(configuration)
    target = resources[policy["ScalingTargetId"]["Ref"]]["Properties"]
    assert target["MinCapacity"] == 1 < target["MaxCapacity"]


@pytest.mark.parametrize("api_url", ["https://api.example", None])
def test_tasks_receive_the_url_of_the_api_if_there_is_one(api_url: str | None) -> None:
    app = App()
    stack = EcsStack(
        app,
        "Ecs",
        name="x",
        vpc=NetworkStack(app, "Network").vpc,
        image=ecs.ContainerImage.from_registry("gallery"),
        allowed_cidr=None,
        api_url=api_url,
    )
    expected = [{"Name": "API_URL", "Value": api_url}] if api_url else None
    containers = _containers(Template.from_stack(stack).to_json()["Resources"])
    assert [container.get("Environment") for container in containers] == [expected, expected]
