"""What exists in an account: what is there after `cdk destroy` must be what was there before."""

from collections.abc import Callable, Iterator
from typing import Any

from local.emulator import ACCOUNT

_Client = Callable[[str], Any]

# Service, call, path to the list in its answer, attribute of an entry that names it.
_LISTS = [
    ("cloudformation", "list_stacks", "StackSummaries", "StackName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("sqs", "list_queues", "QueueUrls", None),
    ("dynamodb", "list_tables", "TableNames", None),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("events", "list_rules", "Rules", "Name"),
    ("budgets", "describe_budgets", "Budgets", "BudgetName"),
    ("ecr", "describe_repositories", "repositories", "repositoryName"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("codebuild", "list_projects", "projects", None),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateName"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    ("ecs", "list_clusters", "clusterArns", None),
    ("ecs", "list_task_definitions", "taskDefinitionArns", None),
    ("ecs", "describe_capacity_providers", "capacityProviders", "name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("apigateway", "get_rest_apis", "items", "name"),
    ("apigateway", "get_api_keys", "items", "name"),
    ("apigateway", "get_usage_plans", "items", "id"),
    ("firehose", "list_delivery_streams", "DeliveryStreamNames", None),
    ("batch", "describe_compute_environments", "computeEnvironments", "computeEnvironmentName"),
    ("batch", "describe_job_queues", "jobQueues", "jobQueueName"),
    ("batch", "describe_job_definitions", "jobDefinitions", "jobDefinitionName"),
]

# Which every account has.
_CAPACITY_PROVIDERS_OF_AWS = {"FARGATE", "FARGATE_SPOT"}

_ARGUMENTS = {"budgets": {"AccountId": ACCOUNT}}


def inventory(client: _Client) -> set[str]:
    """Every resource of the account, as `service name`. client: makes a boto3 client of a service."""
    return {f"{service} {name}" for service, name in _resources(client)}


def _resources(client: _Client) -> Iterator[tuple[str, str]]:
    for service, call, field, attribute in _LISTS:
        caller, arguments = client(service), _ARGUMENTS.get(service, {})
        if caller.can_paginate(call):
            pages = caller.get_paginator(call).paginate(**arguments)
        else:
            pages = [getattr(caller, call)(**arguments)]
        for page in pages:
            for entry in page.get(field, []):
                if service == "cloudformation" and entry["StackStatus"] == "DELETE_COMPLETE":
                    continue
                if service == "batch" and entry.get("status") == "INACTIVE":  # a definition, kept for its old jobs
                    continue
                if service == "ecs" and attribute and entry[attribute] in _CAPACITY_PROVIDERS_OF_AWS:
                    continue
                yield service, entry[attribute] if attribute else entry
