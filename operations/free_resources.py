"""What costs nothing while nobody uses it, and on which condition."""

from collections.abc import Callable, Mapping
from typing import Any

# Paid by request, by run or by what is stored, and nothing is requested, run or stored yet; or never paid at all.
_ALWAYS = {
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::UsagePlan",
    "AWS::ApiGateway::UsagePlanKey",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::Batch::JobDefinition",
    "AWS::Batch::JobQueue",
    "AWS::Budgets::Budget",
    "AWS::CDK::Metadata",
    "AWS::CodeBuild::Project",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",  # its instances are their group's
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::ECS::TaskDefinition",  # its tasks are their service's
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::Events::Rule",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Lightsail::StaticIp",  # while it is attached
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
}

# The same, unless an option costs by the hour: whether it is off, and what it is.
_IF: dict[str, tuple[Callable[[Mapping[str, Any]], bool], str]] = {
    "AWS::ApiGateway::Stage": (lambda it: not it.get("CacheClusterEnabled"), "a cache"),
    "AWS::Batch::ComputeEnvironment": (lambda it: not _hosts_that_stay(it["ComputeResources"]), "hosts that stay"),
    "AWS::DynamoDB::Table": (lambda it: it.get("BillingMode") == "PAY_PER_REQUEST", "provisioned capacity"),
    "AWS::EC2::VPCEndpoint": (lambda it: it.get("VpcEndpointType", "Gateway") == "Gateway", "an interface endpoint"),
    "AWS::ECS::Cluster": (lambda it: not _watched_closely(it), "Container Insights"),
    "AWS::Lambda::Function": (lambda it: "SnapStart" not in it, "SnapStart"),
}


def _hosts_that_stay(compute: Mapping[str, Any]) -> bool:
    return any(int(compute.get(count, 0)) > 0 for count in ("MinvCpus", "DesiredvCpus"))


def _watched_closely(cluster: Mapping[str, Any]) -> bool:
    settings = cluster.get("ClusterSettings", [])
    return any(it["Name"] == "containerInsights" and it["Value"] != "disabled" for it in settings)


def charge_reason(resource_type: str, properties: Mapping[str, Any]) -> str:
    """Why a resource of this type, with these properties, is not free when idle. Empty if it is."""
    if resource_type in _IF:
        is_free, option = _IF[resource_type]
        return "" if is_free(properties) else f"paid by the hour: {option}"
    # A custom resource is a call of a function.
    known = resource_type in _ALWAYS or resource_type.startswith("Custom::")
    return "" if known else "nobody has looked up what it costs"
