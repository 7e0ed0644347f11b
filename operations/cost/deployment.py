"""What a bill reads from the templates of a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operations.cdk import WORKERS
from operations.compare.costs.sizes import (
    FunctionSize,
    Templates,
    WorkerSize,
    batch_instance_size,
    ec2_size,
    fargate_size,
    function_size,
    properties_of,
)
from stacks.support.settings import ThumbnailsOn

_MIB_PER_GB = 1024
_WORKER_BATCH = 5  # messages that a worker receives at once, at most (containers/thumbnailer/thumbnailer/worker.py)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """The requests that X-Ray traces: so many each second, and a share of the others."""

    per_second: float
    share: float

    def traces(self, requests: float, seconds: float) -> float:
        """Return how many of the requests are traced, if they arrive evenly within this time."""
        reservoir = min(requests, self.per_second * seconds)
        return reservoir + self.share * (requests - reservoir)


# Without a rule of the deployment ("Configuring sampling rules" in the X-Ray guide).
_DEFAULT_SAMPLING = Sampling(per_second=1, share=0.05)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the templates contain.

    Attributes:
        thumbnails_on: The compute that makes thumbnails.
        consumer: The function or the workers that make thumbnails.
        album_pages: Units that an instance which draws album pages is billed for each hour, by key in `prices.toml`.
        album_binding: The same of a task that binds an album.
        memory_gb: Memory of each function with Python code of this project, by stack.
        log_interval_seconds: Time for which Firehose collects the access log before it writes an object.
        sampling: The sampling rule of the API. None if the API is not traced.
    """

    thumbnails_on: ThumbnailsOn
    consumer: FunctionSize | WorkerSize
    album_pages: Mapping[str, float]
    album_binding: Mapping[str, float]
    memory_gb: Mapping[str, float]
    log_interval_seconds: float
    sampling: Sampling | None

    @property
    def batch_size(self) -> int:
        """Messages that the consumer receives at once, at most."""
        return self.consumer.batch_size if isinstance(self.consumer, FunctionSize) else _WORKER_BATCH


def read_deployment(templates: Templates) -> Deployment:
    """Read a deployment from its templates.

    Args:
        templates: By stack id.

    Raises:
        UnknownPriceError: No instance type for albums has a known price.
    """
    thumbnails_on = _thumbnails_on(templates)
    consumers = {"fargate": fargate_size, "ec2": ec2_size}
    (stream,) = properties_of(templates["Api"], "AWS::KinesisFirehose::DeliveryStream")
    hints = stream["ExtendedS3DestinationConfiguration"]["BufferingHints"]
    return Deployment(
        thumbnails_on=thumbnails_on,
        consumer=consumers.get(thumbnails_on, function_size)(templates),
        album_pages=batch_instance_size(templates).spot,
        album_binding=_binding_task(templates["Batch"]),
        memory_gb={stack: _memory_gb(templates[stack]) for stack in ("Api", "Cron")},
        log_interval_seconds=hints["IntervalInSeconds"],
        sampling=_sampling(templates["Api"]),
    )


def _thumbnails_on(templates: Templates) -> ThumbnailsOn:
    if WORKERS in templates:
        (service,) = properties_of(templates[WORKERS], "AWS::ECS::Service")
        (strategy,) = service["CapacityProviderStrategy"]
        return "fargate" if str(strategy["CapacityProvider"]).startswith("FARGATE") else "ec2"
    (mapping,) = properties_of(templates["Thumbnails"], "AWS::Lambda::EventSourceMapping")
    function = templates["Thumbnails"]["Resources"][mapping["FunctionName"]["Ref"]]["Properties"]
    return "lambda-image" if function.get("PackageType") == "Image" else "lambda"


def _memory_gb(template: Mapping[str, Any]) -> float:
    """Return the memory of the function of a stack. Functions of custom resources run during a deployment only."""
    (size,) = (
        it["MemorySize"]
        for it in properties_of(template, "AWS::Lambda::Function")
        if it.get("Runtime", "").startswith("python")  # those of the CDK use Node.js
    )
    return float(size) / _MIB_PER_GB


def _binding_task(template: Mapping[str, Any]) -> dict[str, float]:
    """Return the units of a task on Fargate Spot, with a public address, for each hour."""
    (job,) = (
        it["ContainerProperties"]
        for it in properties_of(template, "AWS::Batch::JobDefinition")
        if it["PlatformCapabilities"] == ["FARGATE"]
    )
    needs = {it["Type"]: float(it["Value"]) for it in job["ResourceRequirements"]}
    price = f"fargate-spot-{job['RuntimePlatform']['CpuArchitecture'].lower()}"
    return {f"{price}-vcpu": needs["VCPU"], f"{price}-gb": needs["MEMORY"] / _MIB_PER_GB, "public-ipv4": 1}


def _sampling(api: Mapping[str, Any]) -> Sampling | None:
    (stage,) = properties_of(api, "AWS::ApiGateway::Stage")
    if not stage.get("TracingEnabled"):
        return None
    for properties in properties_of(api, "AWS::XRay::SamplingRule"):
        rule = properties["SamplingRule"]
        return Sampling(per_second=rule["ReservoirSize"], share=rule["FixedRate"])
    return _DEFAULT_SAMPLING
