"""The idle cost of stacks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.cost.idle import idle_cost
from operations.cost.prices import UnknownPriceError


@pytest.fixture
def assembly_of(tmp_path: Path) -> Callable[..., Path]:
    """Write a cloud assembly with one stack, `Stack`, of the given resources."""

    def write(**resources: dict[str, Any]) -> Path:
        stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Stack.template.json"}}
        (tmp_path / "manifest.json").write_text(
            json.dumps({"artifacts": {"Stack": stack, "Tree": {"type": "cdk:tree"}}})
        )
        (tmp_path / "Stack.template.json").write_text(json.dumps({"Resources": resources}))
        return tmp_path

    return write


def _resource(resource_type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{resource_type}", "Properties": properties}


def test_idle_deployment_costs_less_than_eight_cents_per_hour(assembly: Path) -> None:
    assert 0.05 < idle_cost(assembly).hourly < 0.08


@pytest.mark.parametrize(("value", "alarms"), [("lambda-image", 0), ("fargate", 6), ("ec2", 8)])
def test_other_compute_for_thumbnails_adds_only_alarms(
    assembly: Path, synthesize: Callable[..., Path], value: str, alarms: int
) -> None:
    before, after = (
        {(it.stack, it.item): it.quantity for it in idle_cost(folder).charges}
        for folder in (assembly, synthesize(thumbnails_on=value))
    )
    added = {item: quantity - before.get(item, 0) for item, quantity in after.items()}
    assert {item for item, quantity in added.items() if quantity > 0} == (
        {("all", "CloudWatch alarms")} if alarms else set()
    )
    assert added["all", "CloudWatch alarms"] == alarms
    assert idle_cost(synthesize(thumbnails_on=value)).hourly < 0.08


def test_idle_cost_includes_only_the_given_stacks(assembly: Path) -> None:
    assert idle_cost(assembly, ["Thumbnails", "Cron"]).hourly == 0
    assert idle_cost(assembly, ["Lightsail"]).hourly == pytest.approx(0.0067 + 4 * 0.05 / 730)


def test_idle_cost_counts_each_running_resource(assembly: Path) -> None:
    quantities = {charge.item: charge.quantity for charge in idle_cost(assembly, ["Ecs"]).charges}
    expected = {
        "Application Load Balancer": 1,
        "public IPv4 addresses of the load balancer": 2,
        "public IPv4 addresses": 2,  # of an EC2 instance and of a Fargate task
        "EC2 instance, t4g.small": 1,
        "EBS volume, gp3, 30 GB": 30,
        "Fargate Spot task, vCPU": 0.25,
        "Fargate Spot task, memory in GB": 0.5,
    }
    assert quantities.items() >= expected.items()


def test_free_units_apply_to_all_stacks_together(assembly_of: Callable[..., Path]) -> None:
    alarms = {f"Alarm{number}": _resource("CloudWatch::Alarm") for number in range(9)}
    assert idle_cost(assembly_of(**alarms)).hourly == 0
    policy = _resource("ApplicationAutoScaling::ScalingPolicy", PolicyType="TargetTrackingScaling")
    (charge,) = idle_cost(assembly_of(**alarms, Policy=policy)).charges
    assert charge.quantity == 11
    assert charge.price.hourly(charge.quantity) == pytest.approx(0.10 / 730)


def test_alarm_on_metric_math_is_charged_for_each_metric(assembly_of: Callable[..., Path]) -> None:
    metrics = [
        {"Id": "work", "Expression": "visible + age"},
        *({"Id": it, "MetricStat": {}} for it in ("visible", "age")),
    ]
    alarm = _resource("CloudWatch::Alarm", Metrics=metrics)
    policy = _resource("ApplicationAutoScaling::ScalingPolicy", PolicyType="StepScaling")  # of this alarm
    (charge,) = idle_cost(assembly_of(Alarm=alarm, Policy=policy)).charges
    assert charge.quantity == 2


_SERVICE = {
    "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE"}],
    "TaskDefinition": {"Ref": "Task"},
    "NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "DISABLED"}},
}


def _task(architecture: str) -> dict[str, Any]:
    return _resource(
        "ECS::TaskDefinition", Cpu="1024", Memory="2048", RuntimePlatform={"CpuArchitecture": architecture}
    )


def test_service_is_charged_for_its_minimum_of_tasks(assembly_of: Callable[..., Path]) -> None:
    service, task, task_cost = _resource("ECS::Service", **_SERVICE), _task("ARM64"), 0.03238 + 2 * 0.00356
    assert idle_cost(assembly_of(Web=service, Task=task)).hourly == pytest.approx(task_cost)
    name = {"Fn::Join": ["", ["service/", {"Fn::GetAtt": ["Web", "Name"]}]]}
    for minimum in (3, 0):
        target = _resource(
            "ApplicationAutoScaling::ScalableTarget", MinCapacity=minimum, MaxCapacity=4, ResourceId=name
        )
        cost = idle_cost(assembly_of(Web=service, Task=task, Target=target))
        assert cost.hourly == pytest.approx(minimum * task_cost)


_SPOT = {"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT"}]}
_INSIGHTS = [{"Name": "containerInsights", "Value": "enhanced"}]


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (_resource("EC2::NatGateway"), "unknown"),
        (_resource("EC2::VPCEndpoint", VpcEndpointType="Interface"), "interface endpoint"),
        (_resource("DynamoDB::Table"), "provisioned capacity"),
        (_resource("Batch::ComputeEnvironment", ComputeResources={"MinvCpus": 2}), "vCPUs"),
        (_resource("ApiGateway::Stage", CacheClusterEnabled=True), "cache"),
        (_resource("ECS::Cluster", ClusterSettings=_INSIGHTS), "Container Insights"),
        (_resource("Lambda::Function", SnapStart={}), "SnapStart"),
        (_resource("AutoScaling::AutoScalingGroup", MinSize="1", MixedInstancesPolicy={}), "no 'LaunchTemplate'"),
        (_resource("Lightsail::Instance", BundleId="huge_9_9"), "no price of lightsail-huge_9_9"),
        (_resource("ECS::Service", **_SERVICE | _SPOT), "no price of fargate-spot-x86_64-vcpu"),
    ],
)
def test_idle_cost_rejects_a_resource_without_a_known_price(
    assembly_of: Callable[..., Path], resource: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnknownPriceError) as error:
        idle_cost(assembly_of(Thing=resource, Task=_task("X86_64")))
    assert str(error.value).startswith(f"Stack/Thing ({resource['Type']}) cannot be priced: ")
    assert reason in str(error.value)
