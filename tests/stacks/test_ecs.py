"""The Ecs stack: two services of one image behind one load balancer."""

import json
from pathlib import Path

import pytest

from tests.templates import Resources, of_type, read_resources


@pytest.fixture(scope="module")
def resources(assembly: Path) -> Resources:
    return read_resources(assembly, "Ecs")


def test_load_balancer_checks_the_health_of_each_task(resources: Resources) -> None:
    for group in of_type(resources, "AWS::ElasticLoadBalancingV2::TargetGroup").values():
        assert group["Properties"]["HealthCheckPath"] == "/health"
        assert group["Properties"].get("HealthCheckPort", "traffic-port") == "traffic-port"


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_service_scales_with_the_requests_to_its_target_group(resources: Resources, service: str) -> None:
    policies = of_type(resources, "AWS::ApplicationAutoScaling::ScalingPolicy").items()
    (policy,) = [it["Properties"] for name, it in policies if name.startswith(service)]
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    assert f"To{service}" in json.dumps(configuration)
    target = resources[policy["ScalingTargetId"]["Ref"]]["Properties"]
    assert target["MinCapacity"] == 1 < target["MaxCapacity"]


def test_both_services_run_the_same_image(resources: Resources) -> None:
    tasks = of_type(resources, "AWS::ECS::TaskDefinition").values()
    images = [
        json.dumps(container["Image"]) for task in tasks for container in task["Properties"]["ContainerDefinitions"]
    ]
    assert len(images) == 2
    assert len(set(images)) == 1
