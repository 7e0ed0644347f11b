"""Finds the IAM role of the compute that makes the thumbnails of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operations.compare.measurement import Option

if TYPE_CHECKING:
    from local.deployment import Deployment


def consumer_role(option: Option, deployment: Deployment) -> str:
    """Return the name of the role with which an option calls AWS."""
    arn: str
    match option:
        case "lambda" | "lambda-image":
            arn = deployment.client("lambda").get_function_configuration(FunctionName=_function(deployment))["Role"]
        case "fargate" | "ec2":
            ecs, service = deployment.client("ecs"), deployment.outputs["Workers"]["WorkerService"]
            # arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME
            (described,) = ecs.describe_services(cluster=service.split("/")[1], services=[service])["services"]
            task = ecs.describe_task_definition(taskDefinition=described["taskDefinition"])["taskDefinition"]
            arn = task["taskRoleArn"]
        case "remake":
            definition = deployment.outputs["Batch"]["RemakeJobDefinition"]
            (job,) = deployment.client("batch").describe_job_definitions(jobDefinitions=[definition])["jobDefinitions"]
            arn = job["containerProperties"]["jobRoleArn"]
    return arn.rpartition("/")[2]


def _function(deployment: Deployment) -> str:
    """Return the ARN of the function that consumes the upload queue."""
    sqs, queue = deployment.client("sqs"), deployment.outputs["Thumbnails"]["UploadQueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (mapping,) = deployment.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    function: str = mapping["FunctionArn"]
    return function
