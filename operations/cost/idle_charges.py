"""The charges of an idle template, read from the properties of its resources."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.cost.free_resources import hourly_charge
from operations.cost.prices import HOURS_PER_MONTH, Price, UnknownPriceError, get_price

# Quantities that no template contains.
_IMAGE_GB = 0.1  # the first image in a repository, compressed
_SNAPSHOTS_GB = 4  # seven daily snapshots: a system with nginx, and its changes
_LOG_LINE_GB = 150e-9  # a health check, with the overhead of CloudWatch per line
POLLS_PER_MINUTE = 5 * 3  # of an empty queue: five Lambda pollers, long polling of 20 seconds (Lambda guide, "SQS")

_Properties = Mapping[str, Any]
_Charge = tuple[str, float, str]  # item, quantity, key of the price


@dataclass(frozen=True)
class Charge:
    """A quantity of an item at a price."""

    stack: str
    item: str
    quantity: float
    price: Price


def idle_charges(stack: str, template: Mapping[str, Any]) -> Iterator[Charge]:
    """Yield all charges of a template.

    Raises:
        UnknownPriceError: A resource has no known price. The message names the resource.
    """
    for name, resource in template["Resources"].items():
        resource_type, properties = resource["Type"], resource.get("Properties", {})
        try:
            if charge := _CONSTANT.get(resource_type):
                charges: Iterator[_Charge] = iter([charge])
            elif reader := _READERS.get(resource_type):
                charges = reader(name, properties, template["Resources"])
            elif reason := hourly_charge(resource_type, properties):
                raise UnknownPriceError(reason)
            else:
                continue
            for item, quantity, price in charges:
                yield Charge(stack, item, quantity, get_price(price))
        except (KeyError, UnknownPriceError) as error:
            reason = str(error) if isinstance(error, UnknownPriceError) else f"it has no {error}"
            raise UnknownPriceError(f"{stack}/{name} ({resource_type}) cannot be priced: {reason}") from error


def default_bundle(instance: _Properties) -> str:
    """Return the bundle of a Lightsail instance in regions where the bundle has no other name."""
    bundle: Any = instance["BundleId"]
    while isinstance(bundle, Mapping):
        bundle = bundle["Fn::If"][2]
    return str(bundle)


def launch_template(group: _Properties, resources: _Properties) -> _Properties:
    """Return the data of the launch template of an Auto Scaling group."""
    template: _Properties = resources[group["LaunchTemplate"]["LaunchTemplateId"]["Ref"]]["Properties"]
    data: _Properties = template["LaunchTemplateData"]
    return data


def running_tasks(name: str, service: _Properties, resources: _Properties) -> int:
    """Return the number of tasks that the ECS service with the logical id `name` runs while idle."""
    limits = scaling_limits(name, resources)
    return limits[0] if limits else int(service.get("DesiredCount", 1))


def scaling_limits(name: str, resources: _Properties) -> tuple[int, int] | None:
    """Return the minimum and the maximum of tasks between which the ECS service with the logical id `name` scales."""
    for target in resources.values():
        if target["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget":
            properties = target["Properties"]
            if f'"{name}"' in json.dumps(properties["ResourceId"]):
                return int(properties["MinCapacity"]), int(properties["MaxCapacity"])
    return None


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise UnknownPriceError(reason)


def _load_balancer(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    # Capacity units depend on usage: closed connections and health checks consume none.
    yield "Application Load Balancer", 1, "load-balancer"
    yield "public IPv4 addresses of the load balancer", len(properties["Subnets"]), "public-ipv4"


def _target_group(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    # The target logs one line per health check of each zone.
    checks = 2 * HOURS_PER_MONTH * 3600 / properties["HealthCheckIntervalSeconds"]
    yield "logs of health checks", checks * _LOG_LINE_GB, "logs"


def _auto_scaling_group(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    instances = int(properties["MinSize"])
    template = launch_template(properties, resources)
    _require("InstanceMarketOptions" not in template, "Spot Instances have no fixed price")
    _require(not template.get("Monitoring", {}).get("Enabled"), "detailed monitoring is charged per metric")
    yield f"EC2 instance, {template['InstanceType']}", instances, template["InstanceType"]
    for device in template["BlockDeviceMappings"]:
        volume = device["Ebs"]
        gigabytes, kind = volume["VolumeSize"], volume["VolumeType"]
        yield f"EBS volume, {kind}, {gigabytes} GB", instances * gigabytes, f"ebs-{kind}"
    yield "public IPv4 addresses", instances, "public-ipv4"  # All subnets are public.


def _ecs_service(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    (strategy,) = properties["CapacityProviderStrategy"]
    if isinstance(strategy["CapacityProvider"], dict):
        return  # A reference to EC2 instances of the template, which are charged as such.
    task = resources[properties["TaskDefinition"]["Ref"]]["Properties"]
    spot = strategy["CapacityProvider"] == "FARGATE_SPOT"
    price = f"fargate-{'spot-' if spot else ''}{task['RuntimePlatform']['CpuArchitecture'].lower()}"
    tasks = running_tasks(name, properties, resources)
    item = "Fargate Spot task" if spot else "Fargate task"
    yield f"{item}, vCPU", tasks * int(task["Cpu"]) / 1024, f"{price}-vcpu"
    yield f"{item}, memory in GB", tasks * int(task["Memory"]) / 1024, f"{price}-gb"
    if properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "ENABLED":
        yield "public IPv4 addresses", tasks, "public-ipv4"


def _lightsail_instance(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    bundle = default_bundle(properties)
    yield f"Lightsail instance, {bundle}", 1, f"lightsail-{bundle}"
    for add_on in properties.get("AddOns", []):
        _require(add_on["AddOnType"] == "AutoSnapshot", f"add-on {add_on['AddOnType']}")
        yield f"Lightsail snapshots, about {_SNAPSHOTS_GB} GB", _SNAPSHOTS_GB, "lightsail-snapshots"


def _event_source_mapping(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    _require("ProvisionedPollerConfig" not in properties, "provisioned pollers are charged per hour")
    source = properties["EventSourceArn"].get("Fn::GetAtt", [""])[0]
    if resources.get(source, {}).get("Type") == "AWS::DynamoDB::Table":
        return  # Lambda reads the streams of tables free of charge.
    yield "SQS requests that poll the empty queue", POLLS_PER_MINUTE * 60 * HOURS_PER_MONTH / 1e6, "sqs-requests"


def _capacity_provider(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    if properties["AutoScalingGroupProvider"]["ManagedScaling"]["Status"] == "ENABLED":
        yield _TARGET_TRACKING


def _scaling_policy(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    if properties["PolicyType"] != "StepScaling":  # The alarms of step scaling are resources of the template.
        yield _TARGET_TRACKING


def _alarm(name: str, properties: _Properties, resources: _Properties) -> Iterator[_Charge]:
    # An alarm on metric math is charged for each metric in it ("alarm metrics" on the CloudWatch pricing page).
    metrics = sum("MetricStat" in metric for metric in properties.get("Metrics", []))
    yield "CloudWatch alarms", metrics or 1, "alarms"


_TARGET_TRACKING = ("CloudWatch alarms", 2, "alarms")  # It creates one alarm to scale out and one to scale in.

_CONSTANT: dict[str, _Charge] = {
    "AWS::CloudWatch::Dashboard": ("CloudWatch dashboards", 1, "dashboards"),
    "AWS::Logs::MetricFilter": ("CloudWatch custom metrics", 1, "metrics"),
    "AWS::ECR::Repository": (f"container images, about {_IMAGE_GB} GB each", _IMAGE_GB, "ecr-storage"),
}

_READERS: dict[str, Callable[[str, _Properties, _Properties], Iterator[_Charge]]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling_policy,
    "AWS::AutoScaling::AutoScalingGroup": _auto_scaling_group,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::ECS::CapacityProvider": _capacity_provider,
    "AWS::ECS::Service": _ecs_service,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::Lambda::EventSourceMapping": _event_source_mapping,
    "AWS::Lightsail::Instance": _lightsail_instance,
}
