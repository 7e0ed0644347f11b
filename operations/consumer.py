"""The compute that consumes the upload queue of a deployment: a Lambda function, or the ECS workers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from operations.outputs import NotDeployedError, stack_outputs

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class Function:
    """A Lambda function with an event source mapping of the queue."""

    session: boto3.Session
    arn: str

    kind = "function"
    start_seconds = 0  # Lambda polls the queue all the time.
    status = ""

    @cached_property
    def log_group(self) -> str:
        """The log group of the function."""
        configuration = self.session.client("lambda").get_function_configuration(FunctionName=self.arn)
        return configuration["LoggingConfig"]["LogGroup"]


@dataclass(frozen=True)
class Workers:
    """An ECS service that scales from zero."""

    session: boto3.Session
    arn: str

    kind = "worker"
    # Until a worker runs: a metric of the queue, which SQS sends once a minute, the alarm, and the start of a task, on
    # EC2 after that of an instance, with a margin.
    start_seconds = 10 * 60

    @property
    def status(self) -> str:
        """The numbers of running and of desired workers."""
        service = self._describe()
        return f"Workers: {service['runningCount']} running, {service['desiredCount']} desired"

    @cached_property
    def log_group(self) -> str:
        """The log group of the workers."""
        definition = self.session.client("ecs").describe_task_definition(
            taskDefinition=self._describe()["taskDefinition"]
        )
        (container,) = definition["taskDefinition"]["containerDefinitions"]
        return str(container["logConfiguration"]["options"]["awslogs-group"])

    def _describe(self) -> Any:
        cluster = self.arn.split("/")[-2]
        (service,) = self.session.client("ecs").describe_services(cluster=cluster, services=[self.arn])["services"]
        return service


def find_consumer(session: boto3.Session, name: str, queue_url: str) -> Function | Workers | None:
    """Return what consumes the upload queue of the deployment with this setting `name`.

    Returns:
        None if nothing consumes the queue, for example after an interrupted deployment.
    """
    queue = session.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    mappings = session.client("lambda").list_event_source_mappings(EventSourceArn=queue["QueueArn"])
    for mapping in mappings["EventSourceMappings"]:
        return Function(session, mapping["FunctionArn"])
    try:
        service = stack_outputs(session, name, "Workers").get("WorkerService")  # none if its creation failed
    except NotDeployedError:
        return None
    return Workers(session, service) if service else None
