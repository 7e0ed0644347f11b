"""The resources in an account, to verify that a deployment leaves nothing behind."""

from collections.abc import Callable, Iterator
from typing import Any

_Client = Callable[[str], Any]

# Each resource type of the stacks is in one of two tables (see `tests/compliance/test_resource_types.py`). Stacks must
# not contain account settings such as AWS::ApiGateway::Account, because `cdk destroy` does not revert them.

# By type: service, operation, field of the response with the list, attribute with the name (None: the entry itself).
LIST_CALLS = {
    "AWS::CloudFormation::Stack": ("cloudformation", "list_stacks", "StackSummaries", "StackName"),
    "AWS::S3::Bucket": ("s3", "list_buckets", "Buckets", "Name"),
    "AWS::SQS::Queue": ("sqs", "list_queues", "QueueUrls", None),
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames", None),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions", "FunctionName"),
    "AWS::Lambda::EventSourceMapping": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "AWS::Logs::LogGroup": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles", "RoleName"),
    "AWS::CloudWatch::Alarm": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "AWS::CloudWatch::Dashboard": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "AWS::SNS::Topic": ("sns", "list_topics", "Topics", "TopicArn"),
    "AWS::SNS::Subscription": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "AWS::Events::Rule": ("events", "list_rules", "Rules", "Name"),
    "AWS::Scheduler::Schedule": ("scheduler", "list_schedules", "Schedules", "Name"),
    "AWS::Budgets::Budget": ("budgets", "describe_budgets", "Budgets", "BudgetName"),
    "AWS::ECR::Repository": ("ecr", "describe_repositories", "repositories", "repositoryName"),
    "AWS::SSM::Parameter": ("ssm", "describe_parameters", "Parameters", "Name"),
    "AWS::CodeBuild::Project": ("codebuild", "list_projects", "projects", None),
    "AWS::EC2::VPC": ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "AWS::EC2::Subnet": ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "AWS::EC2::InternetGateway": ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "AWS::EC2::RouteTable": ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    "AWS::EC2::VPCEndpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "AWS::EC2::SecurityGroup": ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "AWS::EC2::LaunchTemplate": ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateName"),
    "AWS::AutoScaling::AutoScalingGroup": (
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        "AutoScalingGroupName",
    ),
    "AWS::IAM::InstanceProfile": ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "elbv2",
        "describe_load_balancers",
        "LoadBalancers",
        "LoadBalancerName",
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    "AWS::ECS::Cluster": ("ecs", "list_clusters", "clusterArns", None),
    "AWS::ECS::CapacityProvider": ("ecs", "describe_capacity_providers", "capacityProviders", "name"),
    "AWS::ECS::TaskDefinition": ("ecs", "list_task_definitions", "taskDefinitionArns", None),
    "AWS::ApiGateway::RestApi": ("apigateway", "get_rest_apis", "items", "name"),
    "AWS::ApiGateway::ApiKey": ("apigateway", "get_api_keys", "items", "name"),
    "AWS::ApiGateway::UsagePlan": ("apigateway", "get_usage_plans", "items", "id"),
    "AWS::KinesisFirehose::DeliveryStream": ("firehose", "list_delivery_streams", "DeliveryStreamNames", None),
    "AWS::Batch::ComputeEnvironment": (
        "batch",
        "describe_compute_environments",
        "computeEnvironments",
        "computeEnvironmentName",
    ),
    "AWS::Batch::JobQueue": ("batch", "describe_job_queues", "jobQueues", "jobQueueName"),
    "AWS::Batch::JobDefinition": ("batch", "describe_job_definitions", "jobDefinitions", "jobDefinitionName"),
    "AWS::Lightsail::Instance": ("lightsail", "get_instances", "instances", "name"),
    "AWS::Lightsail::StaticIp": ("lightsail", "get_static_ips", "staticIps", "name"),
}

# Resources that cannot exist without another resource, with the type of that resource.
PARENT_TYPES = {
    "AWS::ApiGateway::Deployment": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::GatewayResponse": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Method": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Model": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::RequestValidator": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Resource": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage": "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::UsagePlanKey": "AWS::ApiGateway::UsagePlan",
    "AWS::ApplicationAutoScaling::ScalableTarget": "AWS::ECS::Service",  # the emulator cannot list them
    "AWS::ApplicationAutoScaling::ScalingPolicy": "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::AutoScaling::LifecycleHook": "AWS::AutoScaling::AutoScalingGroup",
    "AWS::EC2::Route": "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroupEgress": "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupIngress": "AWS::EC2::SecurityGroup",
    "AWS::EC2::SubnetRouteTableAssociation": "AWS::EC2::RouteTable",
    "AWS::EC2::VPCGatewayAttachment": "AWS::EC2::InternetGateway",
    "AWS::ECS::ClusterCapacityProviderAssociations": "AWS::ECS::Cluster",
    "AWS::ECS::Service": "AWS::ECS::Cluster",
    "AWS::ElasticLoadBalancingV2::Listener": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::IAM::Policy": "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig": "AWS::Lambda::Function",
    "AWS::Lambda::Permission": "AWS::Lambda::Function",
    "AWS::Logs::MetricFilter": "AWS::Logs::LogGroup",
    "AWS::S3::BucketPolicy": "AWS::S3::Bucket",
    "AWS::SNS::TopicPolicy": "AWS::SNS::Topic",
    "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
    "Custom::ContainerImage": "AWS::ECR::Repository",
    "Custom::S3AutoDeleteObjects": "AWS::S3::Bucket",
}

# Capacity providers that exist in every account.
_PREDEFINED = {"FARGATE", "FARGATE_SPOT"}


def inventory(client: _Client) -> set[str]:
    """Return all resources of the account as `service name`. `client` creates the boto3 client of a service."""
    return set().union(*inventory_by_type(client).values())


def inventory_by_type(client: _Client) -> dict[str, set[str]]:
    """Return all resources of the account as `service name`, by resource type."""
    account = client("sts").get_caller_identity()["Account"]
    return {
        resource_type: {f"{call[0]} {name}" for name in _names(client(call[0]), account, *call)}
        for resource_type, call in LIST_CALLS.items()
    }


def _names(client: Any, account: str, service: str, operation: str, field: str, attribute: str | None) -> Iterator[str]:
    arguments = {"AccountId": account} if service == "budgets" else {}
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**arguments)
    else:
        pages = [getattr(client, operation)(**arguments)]
    for page in pages:
        for entry in page.get(field, []):
            if service == "cloudformation" and entry["StackStatus"] == "DELETE_COMPLETE":
                continue
            if service == "batch" and entry.get("status") == "INACTIVE":  # a job definition that its old jobs keep
                continue
            name = entry[attribute] if attribute else entry
            if name not in _PREDEFINED:
                yield name
