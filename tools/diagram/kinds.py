"""The resource types that the diagram shows: an icon for each, and a caption from its properties."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operations.cost.idle_charges import default_bundle

Properties = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """How to show a resource type.

    Attributes:
        icon: SVG path data, stroked, in a square of 16 units
        caption: the second line of a box, or a function that returns it from the resource's properties
    """

    icon: str
    caption: str | Callable[[Properties], str]

    def describe(self, properties: Properties) -> str:
        """Return the second line of a box for a resource with these properties."""
        return self.caption if isinstance(self.caption, str) else self.caption(properties)


def _environment(properties: Properties) -> str:
    resources = properties["ComputeResources"]
    platform = "Fargate" if resources["Type"] == "FARGATE" else "EC2"
    return f"{platform}, {resources.get('MinvCpus', 0)}–{resources['MaxvCpus']} vCPU"


def _job(properties: Properties) -> str:
    platform = properties["PlatformCapabilities"][0].title().replace("Ec2", "EC2")
    needed = {each["Type"]: each["Value"] for each in properties["ContainerProperties"]["ResourceRequirements"]}
    return f"{platform}, {needed['VCPU'].replace('0.25', '¼').replace('0.5', '½')} vCPU"


def _service(properties: Properties) -> str:
    provider = properties["CapacityProviderStrategy"][0]["CapacityProvider"]
    return "ECS on " + (provider.replace("_", " ").title() if isinstance(provider, str) else "EC2")


_CIRCLE = "M8 1.5a6.5 6.5 0 1 0 .01 0z"
_SERVER = "M2 3h12v4H2zM2 9h12v4H2zM4.5 5h1M4.5 11h1"
_BUCKET = "M2.5 3.5h11L12 14H4zM2.5 3.5c0-2 11-2 11 0"
_DOCUMENT = "M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3M5.5 8h5M5.5 11h5"

KINDS = {
    "AWS::ApiGateway::RestApi": Kind("M5 3L1.5 8 5 13M11 3l3.5 5-3.5 5M9.5 2.5l-3 11", "API Gateway"),
    "AWS::AutoScaling::AutoScalingGroup": Kind(_SERVER, lambda p: f"EC2, {p['MinSize']} to {p['MaxSize']}"),
    "AWS::Batch::ComputeEnvironment": Kind(_SERVER, _environment),
    "AWS::Batch::JobDefinition": Kind(_DOCUMENT, _job),
    "AWS::Batch::JobQueue": Kind("M2 3h12M2 8h12M2 13h8", "Batch job queue"),
    "AWS::Budgets::Budget": Kind(
        _CIRCLE + "M10.5 5.5C8 4 5.5 5.5 6.5 7.2S10.5 8.5 10 10.5 6.5 11.5 5.5 10.5M8 3.5v9",
        lambda p: f"${p['Budget']['BudgetLimit']['Amount']:g} per month",
    ),
    "AWS::CloudWatch::Dashboard": Kind("M2 2v12h12M5 11V8M8 11V5M11 11V7", "CloudWatch"),
    "AWS::CodeBuild::Project": Kind("M8 1.5L14 5v6l-6 3.5L2 11V5zM2 5l6 3.5L14 5M8 8.5v6", "CodeBuild"),
    "AWS::DynamoDB::Table": Kind("M2 3h12v10H2zM2 6.5h12M2 10h12M6.5 3v10", "DynamoDB table"),
    "AWS::EC2::VPC": Kind("M2 6.5a6.5 6.5 0 0 1 12 0M4.5 8a4 4 0 0 1 7 0M8 10.5v3.5", "public subnets"),
    "AWS::ECR::Repository": Kind("M2 5l6-3 6 3v6l-6 3-6-3zM5 6.5v5M8 8v5M11 6.5v5", "ECR repository"),
    "AWS::ECS::Service": Kind("M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z", _service),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Kind(
        "M1.5 8h5M6.5 8L13 3M6.5 8h7M6.5 8L13 13M10.5 2.5L13 3l-.5 2.5M10.5 13.5L13 13l-.5-2.5",
        "Application LB",
    ),
    "AWS::Events::Rule": Kind("M2 2h12l-4.5 6v6l-3-2V8z", "EventBridge rule"),
    "AWS::KinesisFirehose::DeliveryStream": Kind("M1.5 5c4-4 8 4 13 0M1.5 11c4-4 8 4 13 0", "Data Firehose"),
    "AWS::Lambda::Function": Kind("M3 2.5h3L12 14M7 7.5L3.5 14", lambda p: f"Lambda, {p['MemorySize']} MB"),
    "AWS::Lightsail::Instance": Kind(_SERVER, lambda p: f"Lightsail {default_bundle(p).partition('_')[0]}"),
    "AWS::S3::Bucket": Kind(_BUCKET, "S3 bucket"),
    "AWS::SNS::Topic": Kind("M3.5 11V7.5a4.5 4.5 0 0 1 9 0V11l1 1.5h-11zM6.5 14h3", "SNS topic"),
    "AWS::SQS::Queue": Kind("M1.5 4h13v8h-13zM5 4v8M8 4v8M11 4v8", "SQS queue"),
    "AWS::Scheduler::Schedule": Kind(
        _CIRCLE + "M8 4v4l3 2", lambda p: p["ScheduleExpression"].removeprefix("cron(").removesuffix(")")
    ),
}
