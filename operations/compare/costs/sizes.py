"""The sizes of each compute option, read from the templates of the app."""

import local  # noqa: F401  # isort: skip  # must come first: finds the package photos

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from operations.cdk import Assembly
from operations.cost.idle_charges import idle_charges, launch_template
from operations.cost.prices import HOURS_PER_MONTH, UnknownPriceError, get_price
from operations.errors import OperationError
from photos.remake import PHOTOS_PER_SLICE
from stacks.support.errors import AppError
from stacks.support.settings import ThumbnailsOn
from tools.assembly import synthesized

_MIB_PER_GB = 1024

# vCPUs by size of the Graviton instances whose performance does not depend on credits.
_VCPUS = {"medium": 1, "large": 2}

# Templates by stack id.
Templates = Mapping[str, Mapping[str, Any]]
_Properties = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FunctionSize:
    """The function of `lambda` and `lambda-image`.

    Attributes:
        memory_gb: Memory, which also determines the share of a vCPU.
        architecture: `arm64` or `x86_64`.
        batch_size: Maximum number of messages of a request.
        concurrency: Maximum number of requests at the same time.
    """

    memory_gb: float
    architecture: str
    batch_size: int
    concurrency: int

    @property
    def vcpus(self) -> float:
        """vCPUs: a function has one from 1,769 MB on ("Memory" in the Lambda guide), and a share of it below."""
        return self.memory_gb * _MIB_PER_GB / 1769


@dataclass(frozen=True, kw_only=True)
class WorkerSize:
    """Workers that start for photos and stop afterwards: Fargate tasks, or EC2 instances with one worker each.

    Attributes:
        description: Type and size of one worker.
        hourly: Units that one worker is billed for each hour it runs, by key in `prices.toml`.
        spot: The same on Spot capacity.
        vcpus: vCPUs of one worker.
        memory_mib: Memory limit of the container.
        maximum: Number of workers at most.
        maximum_spot: The same on Spot capacity.
        photos_per_worker: One more worker starts for each of so many waiting photos.
        idle_seconds: Time without photos after which the number of workers becomes 0.
    """

    description: str
    hourly: Mapping[str, float]
    spot: Mapping[str, float]
    vcpus: float
    memory_mib: int
    maximum: int
    maximum_spot: int
    photos_per_worker: float
    idle_seconds: float = 0


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What the templates contain.

    Attributes:
        function: The function of `lambda` and of `lambda-image`.
        fargate: The tasks of `fargate`, which run on Spot capacity as deployed.
        ec2: The instances of `ec2`, which are On-Demand Instances as deployed.
        batch: The instances of the Batch array job, on Spot capacity first.
        alarms: Alarm metrics of a deployment, by its value of `thumbnails_on`.
    """

    function: FunctionSize
    fargate: WorkerSize
    ec2: WorkerSize
    batch: WorkerSize
    alarms: Mapping[ThumbnailsOn, float]


def read_sizes() -> Sizes:
    """Synthesize the app with each value of `thumbnails_on`, and read the sizes. Takes seconds for each value.

    Raises:
        OperationError: A setting in `cdk.json` is invalid.
        UnknownPriceError: A template cannot be priced.
    """
    templates: dict[ThumbnailsOn, Templates] = {}
    for value in get_args(ThumbnailsOn):
        try:
            with synthesized(thumbnails_on=value) as folder:
                templates[value] = Assembly(folder).templates()
        except AppError as error:
            raise OperationError(str(error)) from error
    return sizes_of(templates)


def sizes_of(templates: Mapping[ThumbnailsOn, Templates]) -> Sizes:
    """Read the sizes from the templates of each value of `thumbnails_on`.

    Raises:
        UnknownPriceError: A template cannot be priced.
    """
    function = function_size(templates["lambda"])
    if function_size(templates["lambda-image"]) != function:
        raise UnknownPriceError("The function from an image has another size, and the comparison knows only one.")
    return Sizes(
        function=function,
        fargate=fargate_size(templates["fargate"]),
        ec2=ec2_size(templates["ec2"]),
        batch=batch_instance_size(templates["lambda"]),
        alarms={value: _alarms(stacks) for value, stacks in templates.items()},
    )


def properties_of(template: Mapping[str, Any], resource_type: str) -> Iterator[_Properties]:
    """Yield the properties of each resource of a type."""
    return (it["Properties"] for it in template["Resources"].values() if it["Type"] == resource_type)


def function_size(templates: Templates) -> FunctionSize:
    """Read the size of the thumbnail function from the templates of a deployment that has one."""
    thumbnails = templates["Thumbnails"]
    (mapping,) = properties_of(thumbnails, "AWS::Lambda::EventSourceMapping")
    function: _Properties = thumbnails["Resources"][mapping["FunctionName"]["Ref"]]["Properties"]
    (architecture,) = function["Architectures"]
    return FunctionSize(
        memory_gb=function["MemorySize"] / _MIB_PER_GB,
        architecture=architecture,
        batch_size=mapping["BatchSize"],
        concurrency=mapping["ScalingConfig"]["MaximumConcurrency"],
    )


def fargate_size(templates: Templates) -> WorkerSize:
    """Read the size of a Fargate task from the templates of a deployment with `thumbnails_on=fargate`."""
    (task,) = properties_of(templates["Workers"], "AWS::ECS::TaskDefinition")
    (service,) = properties_of(templates["Workers"], "AWS::ECS::Service")
    architecture = task["RuntimePlatform"]["CpuArchitecture"].lower()
    vcpus, memory_mib = int(task["Cpu"]) / _MIB_PER_GB, int(task["Memory"])
    public = service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "ENABLED"

    def hourly(price: str) -> dict[str, float]:
        units = {f"{price}-{architecture}-vcpu": vcpus, f"{price}-{architecture}-gb": memory_mib / _MIB_PER_GB}
        return units | ({"public-ipv4": 1} if public else {})

    maximum = _maximum_tasks(templates)
    return WorkerSize(
        description=f"{vcpus:g} vCPU, {memory_mib / _MIB_PER_GB:g} GB, {architecture}",
        hourly=hourly("fargate"),
        spot=hourly("fargate-spot"),
        vcpus=vcpus,
        memory_mib=memory_mib,
        maximum=maximum,
        maximum_spot=maximum,
        photos_per_worker=_photos_per_worker(templates),
        idle_seconds=_idle_seconds(templates),
    )


def ec2_size(templates: Templates) -> WorkerSize:
    """Read the size of a container instance from the templates of a deployment with `thumbnails_on=ec2`."""
    ecs = templates["Ecs"]
    (task,) = properties_of(templates["Workers"], "AWS::ECS::TaskDefinition")
    # The other group of the cluster, for the gallery, never scales to zero.
    (group,) = (it for it in properties_of(ecs, "AWS::AutoScaling::AutoScalingGroup") if int(it["MinSize"]) == 0)
    template = launch_template(group, ecs["Resources"])
    (container,) = task["ContainerDefinitions"]
    maximum = min(int(group["MaxSize"]), _maximum_tasks(templates))
    return replace(
        _instances(template["InstanceType"], template, maximum, maximum),
        memory_mib=int(container["Memory"]),
        photos_per_worker=_photos_per_worker(templates),
        idle_seconds=_idle_seconds(templates),
    )


def batch_instance_size(templates: Templates) -> WorkerSize:
    """Read the size of an instance of the Batch compute environments, for the jobs of `make remake`."""
    batch = templates["Batch"]
    (job,) = (
        it["ContainerProperties"]
        for it in properties_of(batch, "AWS::Batch::JobDefinition")
        if "Ref::manifest" in it["ContainerProperties"]["Command"]
    )
    needs = {it["Type"]: float(it["Value"]) for it in job["ResourceRequirements"]}
    computes = {
        it["ComputeResources"]["Type"]: it["ComputeResources"]
        for it in properties_of(batch, "AWS::Batch::ComputeEnvironment")
    }
    spot, on_demand = computes["SPOT"], computes["EC2"]
    template = batch["Resources"][spot["LaunchTemplate"]["LaunchTemplateId"]["Ref"]]["Properties"]["LaunchTemplateData"]
    maximum, maximum_spot = (int(it["MaxvCpus"] / needs["VCPU"]) for it in (on_demand, spot))
    size = _instances(_cheapest(spot["InstanceTypes"], needs["VCPU"]), template, maximum, maximum_spot)
    return replace(size, memory_mib=int(needs["MEMORY"]), photos_per_worker=PHOTOS_PER_SLICE)


def _cheapest(instance_types: list[str], vcpus: float) -> str:
    """Return the type with these vCPUs that costs least, of those whose price is known."""
    prices = {}
    for instance_type in instance_types:
        if _VCPUS.get(instance_type.partition(".")[2]) == vcpus:
            try:
                prices[instance_type] = get_price(instance_type).usd
            except UnknownPriceError:
                continue
    if not prices:
        raise UnknownPriceError(f"prices.toml has no price of an instance type with {vcpus:g} vCPUs for Batch")
    return min(prices, key=lambda it: prices[it])


def _instances(instance_type: str, template: _Properties, maximum: int, maximum_spot: int) -> WorkerSize:
    price, shared = get_price(instance_type), {"public-ipv4": 1.0}  # All subnets are public.
    for device in template["BlockDeviceMappings"]:
        volume = device["Ebs"]
        shared[f"ebs-{volume['VolumeType']}"] = volume["VolumeSize"] / HOURS_PER_MONTH
    return WorkerSize(
        description=instance_type,
        hourly={instance_type: 1.0} | shared,
        spot={"ec2-spot": price.usd} | shared,
        vcpus=_VCPUS[instance_type.partition(".")[2]],
        memory_mib=0,
        maximum=maximum,
        maximum_spot=maximum_spot,
        photos_per_worker=1,
    )


def _maximum_tasks(templates: Templates) -> int:
    (target,) = properties_of(templates["Workers"], "AWS::ApplicationAutoScaling::ScalableTarget")
    return int(target["MaxCapacity"])


def _photos_per_worker(templates: Templates) -> float:
    """Return the width of the steps at which a policy adds a task: the upper bound of the first step."""
    steps = [
        step["MetricIntervalUpperBound"]
        for policy in properties_of(templates["Workers"], "AWS::ApplicationAutoScaling::ScalingPolicy")
        for step in policy["StepScalingPolicyConfiguration"]["StepAdjustments"]
        if step["ScalingAdjustment"] == 1
    ]
    return float(min(steps))


def _idle_seconds(templates: Templates) -> float:
    """Return the length of the alarm that stops all tasks."""
    workers = templates["Workers"]
    stops = [
        name
        for name, resource in workers["Resources"].items()
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalingPolicy"
        for step in resource["Properties"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
        if step["ScalingAdjustment"] == 0
    ]
    (alarm,) = (
        alarm
        for alarm in properties_of(workers, "AWS::CloudWatch::Alarm")
        if any(re.search(rf"'{name}'", str(alarm.get("AlarmActions"))) for name in stops)
    )
    periods = {metric["MetricStat"]["Period"] for metric in alarm["Metrics"] if "MetricStat" in metric}
    return float(alarm["EvaluationPeriods"] * max(periods))


def _alarms(templates: Templates) -> float:
    charges = (charge for stack, template in templates.items() for charge in idle_charges(stack, template))
    return sum(charge.quantity for charge in charges if charge.price == get_price("alarms"))
