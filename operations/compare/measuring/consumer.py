"""The compute that makes the thumbnails of a deployment: its IAM role, and how many workers run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operations.compare.measurement import Option

if TYPE_CHECKING:
    from local.deployment import Deployment


def consumer_role(option: Option, deployment: Deployment) -> str:
    """Return the name of the role with which an option calls AWS."""
    arn: str
    match option:
        case "lambda" | "lambda-image":
            arn = _function(deployment)["Role"]
        case "fargate" | "ec2":
            definition = worker_service(deployment)["taskDefinition"]
            task = deployment.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
            arn = task["taskRoleArn"]
        case "remake":
            definition = deployment.outputs["Batch"]["RemakeJobDefinition"]
            (job,) = deployment.client("batch").describe_job_definitions(jobDefinitions=[definition])["jobDefinitions"]
            arn = job["containerProperties"]["jobRoleArn"]
    return arn.rpartition("/")[2]


def function_log_lines(deployment: Deployment) -> list[str]:
    """Return the lines in the log group of the function."""
    group = _function(deployment)["LoggingConfig"]["LogGroup"]
    pages = deployment.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]


def count_workers(deployment: Deployment) -> tuple[int, int]:
    """Return how many workers of a deployment run or start, and on how many EC2 instances."""
    service, instances = worker_service(deployment), 0
    tasks = max(service["desiredCount"], service["runningCount"] + service["pendingCount"])
    providers = [used["capacityProvider"] for used in service.get("capacityProviderStrategy", [])]
    for provider in deployment.client("ecs").describe_capacity_providers(capacityProviders=providers)[
        "capacityProviders"
    ]:
        if group := provider.get("autoScalingGroupProvider"):
            # arn:aws:autoscaling:REGION:ACCOUNT:autoScalingGroup:ID:autoScalingGroupName/NAME
            name = group["autoScalingGroupArn"].rpartition("/")[2]
            (described,) = deployment.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])[
                "AutoScalingGroups"
            ]
            instances += max(described["DesiredCapacity"], len(described["Instances"]))
    return tasks, instances


def worker_service(deployment: Deployment) -> Any:
    """Return the ECS service of the workers."""
    # arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME
    ecs, service = deployment.client("ecs"), deployment.outputs["Workers"]["WorkerService"]
    (described,) = ecs.describe_services(cluster=service.split("/")[1], services=[service])["services"]
    return described


def event_source_mapping(deployment: Deployment) -> Any:
    """Return the event source mapping of the upload queue."""
    queue = deployment.outputs["Thumbnails"]["UploadQueueUrl"]
    sqs = deployment.client("sqs")
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (mapping,) = deployment.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    return mapping


def _function(deployment: Deployment) -> Any:
    """Return the configuration of the function that consumes the upload queue."""
    function = event_source_mapping(deployment)["FunctionArn"]
    return deployment.client("lambda").get_function_configuration(FunctionName=function)
