"""What a template is charged for while nobody uses it: read from the properties of its resources."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.free_resources import charge_reason
from operations.prices import HOURS_A_MONTH, Price, UnknownPriceError, get_price

# What no template says.
_IMAGE_GB = 0.1  # of the first image in a repository, compressed
_SNAPSHOTS_GB = 4  # of a week: a system with nginx, and what changes in it
_LOG_LINE_GB = 150e-9  # of a health check, with what CloudWatch adds to each line
_POLLS_A_MINUTE = 5 * 3  # of an empty queue by Lambda: five pollers, each asks for 20 seconds (Lambda guide, "SQS")

_Properties = Mapping[str, Any]
_Charges = Iterator[tuple[str, float, str]]


@dataclass(frozen=True)
class Charge:
    """So many of something at this price."""

    stack: str
    what: str
    quantity: float
    price: Price


def idle_charges(stack: str, template: Mapping[str, Any]) -> Iterator[Charge]:
    """All charges of a template. Raises UnknownPriceError for what cannot be priced, and names it."""
    for name, resource in template["Resources"].items():
        resource_type, properties = resource["Type"], resource.get("Properties", {})
        try:
            if reader := _CHARGED.get(resource_type):
                for what, quantity, price in reader(name, properties, template["Resources"]):
                    yield Charge(stack, what, quantity, get_price(price))
            elif why := charge_reason(resource_type, properties):
                raise UnknownPriceError(why)
        except (KeyError, UnknownPriceError) as error:
            why = str(error) if isinstance(error, UnknownPriceError) else f"it has no {error}"
            raise UnknownPriceError(f"{stack}/{name} ({resource_type}) cannot be priced: {why}") from error


def _only_if(expected: bool, otherwise: str) -> None:
    if not expected:
        raise UnknownPriceError(otherwise)


def _load_balancer(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    # Its capacity units are charged by use: closed connections and health checks take none.
    yield "load balancer", 1, "load-balancer"
    yield "public addresses of the load balancer", len(properties["Subnets"]), "public-ipv4"


def _target_group(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    # A line in the log of a target for each question of each zone's balancer.
    asked = 2 * HOURS_A_MONTH * 3600 / properties["HealthCheckIntervalSeconds"]
    yield "logs of health checks", asked * _LOG_LINE_GB, "logs"


def _hosts(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    hosts = int(properties["MinSize"])
    template = resources[properties["LaunchTemplate"]["LaunchTemplateId"]["Ref"]]["Properties"]["LaunchTemplateData"]
    _only_if("InstanceMarketOptions" not in template, "spot instances have no fixed price")
    _only_if(not template.get("Monitoring", {}).get("Enabled"), "detailed monitoring costs by metric")
    yield f"host, {template['InstanceType']}", hosts, template["InstanceType"]
    for device in template["BlockDeviceMappings"]:
        volume = device["Ebs"]
        yield f"disk of a host, {volume['VolumeSize']} GB", hosts * volume["VolumeSize"], f"ebs-{volume['VolumeType']}"
    yield "public addresses", hosts, "public-ipv4"  # all subnets are public


def _service(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    (strategy,) = properties["CapacityProviderStrategy"]
    if isinstance(strategy["CapacityProvider"], dict):
        return  # a reference: hosts of ours, charged as such
    task = resources[properties["TaskDefinition"]["Ref"]]["Properties"]
    spot = "spot-" if strategy["CapacityProvider"] == "FARGATE_SPOT" else ""
    kind = f"fargate-{spot}{task['RuntimePlatform']['CpuArchitecture'].lower()}"
    least = [
        target["Properties"]["MinCapacity"]
        for target in resources.values()
        if target["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget"
        and f'"{name}"' in json.dumps(target["Properties"]["ResourceId"])
    ]
    tasks = max([properties.get("DesiredCount", 1), *least])
    where = "Fargate Spot" if spot else "Fargate"
    yield f"task on {where}, processor", tasks * int(task["Cpu"]) / 1024, f"{kind}-vcpu"
    yield f"task on {where}, memory", tasks * int(task["Memory"]) / 1024, f"{kind}-gb"
    if properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "ENABLED":
        yield "public addresses", tasks, "public-ipv4"


def default_bundle(server: _Properties) -> str:
    """The bundle of a Lightsail server with these properties, in a region that has no other name for it."""
    bundle: Any = server["BundleId"]
    while isinstance(bundle, Mapping):
        bundle = bundle["Fn::If"][2]
    return str(bundle)


def _server(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    bundle = default_bundle(properties)
    yield f"server, {bundle}", 1, f"lightsail-{bundle}"
    for add_on in properties.get("AddOns", []):
        _only_if(add_on["AddOnType"] == "AutoSnapshot", f"the add-on {add_on['AddOnType']}")
        yield f"snapshots of a week, about {_SNAPSHOTS_GB} GB", _SNAPSHOTS_GB, "lightsail-snapshots"


def _mapping(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    _only_if("ProvisionedPollerConfig" not in properties, "provisioned pollers cost by hour")
    yield "polls of an empty queue", _POLLS_A_MINUTE * 60 * HOURS_A_MONTH / 1e6, "sqs-requests"


def _repository(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    yield f"images, each about {_IMAGE_GB} GB", _IMAGE_GB, "ecr-storage"


def _alarm(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    yield "alarms", 1, "alarms"


def _scaling(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    yield "alarms", 2, "alarms"  # which a target makes by itself: one to grow, one to shrink


def _capacity_provider(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    if properties["AutoScalingGroupProvider"]["ManagedScaling"]["Status"] == "ENABLED":
        yield from _scaling(name, properties, resources)


def _dashboard(name: str, properties: _Properties, resources: _Properties) -> _Charges:
    yield "dashboards", 1, "dashboards"


_CHARGED: dict[str, Callable[[str, _Properties, _Properties], _Charges]] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": _scaling,
    "AWS::AutoScaling::AutoScalingGroup": _hosts,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::ECR::Repository": _repository,
    "AWS::ECS::CapacityProvider": _capacity_provider,
    "AWS::ECS::Service": _service,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lightsail::Instance": _server,
}
