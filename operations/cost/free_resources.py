"""Resource types without a charge while idle, and the properties that would add one."""

from collections.abc import Callable, Mapping
from typing import Any

# Free, or charged per request, per run, or for storage, of which an idle new deployment has none.
_FREE = {
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
    "AWS::AutoScaling::LifecycleHook",
    "AWS::Batch::JobDefinition",
    "AWS::Batch::JobQueue",
    "AWS::Budgets::Budget",
    "AWS::CDK::Metadata",
    "AWS::CodeBuild::Project",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::LaunchTemplate",  # The Auto Scaling group is charged for its instances.
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
    "AWS::ECS::TaskDefinition",  # The service is charged for its tasks.
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::Events::Rule",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KinesisFirehose::DeliveryStream",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Lightsail::StaticIp",  # while attached
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::XRay::SamplingRule",
}

# Types that are free unless an hourly option is on: a check that the option is off, and the option's name.
_FREE_WITHOUT: dict[str, tuple[Callable[[Mapping[str, Any]], bool], str]] = {
    "AWS::ApiGateway::Stage": (lambda p: not p.get("CacheClusterEnabled"), "a cache"),
    "AWS::Batch::ComputeEnvironment": (lambda p: not _keeps_instances(p["ComputeResources"]), "a minimum of vCPUs"),
    "AWS::DynamoDB::Table": (lambda p: p.get("BillingMode") == "PAY_PER_REQUEST", "provisioned capacity"),
    "AWS::EC2::VPCEndpoint": (lambda p: p.get("VpcEndpointType", "Gateway") == "Gateway", "an interface endpoint"),
    "AWS::ECS::Cluster": (lambda p: not _has_container_insights(p), "Container Insights"),
    "AWS::Lambda::Function": (lambda p: "SnapStart" not in p, "SnapStart"),
}


def hourly_charge(resource_type: str, properties: Mapping[str, Any]) -> str:
    """Return why a resource is not free while idle, or an empty string if it is."""
    if resource_type in _FREE_WITHOUT:
        is_free, option = _FREE_WITHOUT[resource_type]
        return "" if is_free(properties) else f"charged per hour: {option}"
    # A custom resource is an invocation of a function.
    is_free_type = resource_type in _FREE or resource_type.startswith("Custom::")
    return "" if is_free_type else "its idle cost is unknown"


def _keeps_instances(compute: Mapping[str, Any]) -> bool:
    return any(int(compute.get(count, 0)) > 0 for count in ("MinvCpus", "DesiredvCpus"))


def _has_container_insights(cluster: Mapping[str, Any]) -> bool:
    settings = cluster.get("ClusterSettings", [])
    return any(setting["Name"] == "containerInsights" and setting["Value"] != "disabled" for setting in settings)
