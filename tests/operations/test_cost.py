"""The idle cost, from the templates."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.cost import format_table, idle_cost
from operations.prices import UnknownPriceError


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes an assembly with one stack of these resources."""

    def write(**resources: dict[str, Any]) -> Path:
        artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "It.template.json"}}
        (tmp_path / "manifest.json").write_text(
            json.dumps({"artifacts": {"It": artifact, "Tree": {"type": "cdk:tree"}}})
        )
        (tmp_path / "It.template.json").write_text(json.dumps({"Resources": resources}))
        return tmp_path

    return write


def _resource(resource_type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{resource_type}", "Properties": properties}


@pytest.mark.guarantee("Cheap when idle")
def test_a_sandbox_costs_less_than_seven_cents_an_hour(assembly: Path) -> None:
    assert 0.05 < idle_cost(assembly).hourly < 0.07


def test_the_cost_of_some_stacks_only(assembly: Path) -> None:
    assert idle_cost(assembly, ["Thumbnails", "Cron"]).hourly == 0
    assert idle_cost(assembly, ["Lightsail"]).hourly == pytest.approx(0.0067 + 4 * 0.05 / 730)


def test_all_of_what_stays_is_counted(assembly: Path) -> None:
    counted = {(charge.stack, charge.what): charge.quantity for charge in idle_cost(assembly).charges}
    assert counted[("Ecs", "load balancer")] == 1
    assert counted[("Ecs", "public addresses of the load balancer")] == 2
    assert counted[("Ecs", "public addresses")] == 2  # of one host and of one task on Fargate
    assert counted[("Ecs", "host, t4g.micro")] == 1
    assert counted[("Ecs", "disk of a host, 30 GB")] == 30
    assert counted[("Ecs", "task on Fargate Spot, processor")] == 0.25
    assert counted[("Ecs", "task on Fargate Spot, memory")] == 0.5


def test_what_is_free_up_to_a_number_is_counted_over_all_stacks(written: Callable[..., Path]) -> None:
    alarms = {f"Alarm{number}": _resource("CloudWatch::Alarm") for number in range(9)}
    assert idle_cost(written(**alarms)).hourly == 0
    (charge,) = idle_cost(written(**alarms, Policy=_resource("ApplicationAutoScaling::ScalingPolicy"))).charges
    assert charge.quantity == 11
    assert charge.price.hourly(charge.quantity) == pytest.approx(0.10 / 730)


_SERVICE = {
    "CapacityProviderStrategy": [{"CapacityProvider": "FARGATE"}],
    "TaskDefinition": {"Ref": "Task"},
    "NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "DISABLED"}},
}
_TASK = _resource("ECS::TaskDefinition", Cpu="1024", Memory="2048", RuntimePlatform={"CpuArchitecture": "ARM64"})


def test_a_service_has_as_many_tasks_as_its_scaling_keeps_at_least(written: Callable[..., Path]) -> None:
    one = 0.03238 + 2 * 0.00356
    assert idle_cost(written(Web=_resource("ECS::Service", **_SERVICE), Task=_TASK)).hourly == pytest.approx(one)
    name = {"Fn::Join": ["", ["service/", {"Fn::GetAtt": ["Web", "Name"]}]]}
    scaled = _resource("ApplicationAutoScaling::ScalableTarget", MinCapacity=3, ResourceId=name)
    folder = written(Web=_resource("ECS::Service", **_SERVICE), Task=_TASK, Target=scaled)
    assert idle_cost(folder).hourly == pytest.approx(3 * one)


_X86 = _resource("ECS::TaskDefinition", Cpu="1024", Memory="2048", RuntimePlatform={"CpuArchitecture": "X86_64"})
_INSIGHTS = [{"Name": "containerInsights", "Value": "enhanced"}]


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (_resource("EC2::NatGateway"), "nobody has looked up what it costs"),
        (_resource("EC2::RouteServer"), "nobody has looked up what it costs"),
        (_resource("EC2::VPCEndpoint", VpcEndpointType="Interface"), "paid by the hour: an interface endpoint"),
        (_resource("DynamoDB::Table"), "paid by the hour: provisioned capacity"),
        (_resource("Batch::ComputeEnvironment", ComputeResources={"MinvCpus": 2}), "paid by the hour: hosts that stay"),
        (_resource("ApiGateway::Stage", CacheClusterEnabled=True), "paid by the hour: a cache"),
        (_resource("ECS::Cluster", ClusterSettings=_INSIGHTS), "paid by the hour: Container Insights"),
        (_resource("Lambda::Function", SnapStart={}), "paid by the hour: SnapStart"),
        (
            _resource("AutoScaling::AutoScalingGroup", MinSize="1", MixedInstancesPolicy={}),
            "it has no 'LaunchTemplate'",
        ),
        (_resource("Lightsail::Instance", BundleId="huge_9_9"), "prices.toml has no price of lightsail-huge_9_9"),
    ],
)
def test_what_cannot_be_priced_is_refused_by_name(
    written: Callable[..., Path], resource: dict[str, Any], why: str
) -> None:
    with pytest.raises(UnknownPriceError) as error:
        idle_cost(written(Thing=resource))
    assert str(error.value) == f"It/Thing ({resource['Type']}) cannot be priced: {why}"


def test_a_processor_without_a_price_is_refused(written: Callable[..., Path]) -> None:
    with pytest.raises(UnknownPriceError, match="no price of fargate-x86_64-vcpu"):
        idle_cost(written(Web=_resource("ECS::Service", **_SERVICE), Task=_X86))


def test_the_table_shows_source_and_date_of_each_price_and_the_sum(assembly: Path) -> None:
    cost = idle_cost(assembly)
    heading, *rows, total = format_table(cost.rows()).splitlines()
    assert heading.split() == ["Stack", "What", "How", "many", "Price", "$", "an", "hour", "Source,", "read", "on"]
    assert any("t4g.micro" in row and row.endswith("EC2 price list, 2026-08-31") for row in rows)
    assert any("Fargate Spot" in row and "about $0.0103097 per hour" in row for row in rows)
    assert f"{cost.hourly:.4f}" in total
    assert str(cost).startswith(f"${cost.hourly:.3f} an hour while idle")
