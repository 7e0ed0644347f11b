"""A Batch job definition with a role of its own, and alerts for jobs that fail or cannot start."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.monitoring import FailureEvent, event_fields


class BatchJob(batch.EcsJobDefinition):
    """A job definition that runs a command in an image, on EC2 or on Fargate.

    Batch attempts a job again after a Spot interruption, and for the exit statuses in `retried_statuses`. It never
    attempts a job again that was terminated or timed out.

    Args:
        program: Suffix of the definition's name, and prefix of its log streams.
        command: Command line. `Ref::name` stands for a parameter of the job.
        vcpu: vCPUs.
        attempts: Maximum number of attempts.
        retried_statuses: Exit statuses after which another attempt can succeed.
        timeout: Maximum duration of an attempt.
        execution_role: Role that pulls the image and writes the log. The job definition grants it these permissions.

    Attributes:
        job_role: Role of the program. It has no permissions yet.
        any_revision: The definition without its revision number. An update creates a revision and deregisters the
            previous one, so a stack that refers to a number could not submit jobs until its own next update.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        program: str,
        compute: Literal["ec2", "fargate"],
        image: ecs.ContainerImage,
        command: Sequence[str],
        vcpu: float,
        memory: Size,
        environment: Mapping[str, str],
        attempts: int,
        retried_statuses: Sequence[int] = (),
        timeout: Duration,
        execution_role: iam.IRole,
        log_group: logs.ILogGroup,
    ) -> None:
        stack = Stack.of(scope)
        self.job_role = iam.Role(
            scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")
        )
        container: dict[str, Any] = {
            "scope": scope,
            "id": f"{construct_id}Container",
            "image": image,
            "command": list(command),
            "cpu": vcpu,
            "memory": memory,
            # Batch does not set the Region. On EC2, neither does the ECS agent before April 2026 (amazon-ecs-agent
            # 4946). Without a Region, boto3 cannot create a client.
            "environment": {"AWS_DEFAULT_REGION": stack.region, **environment},
            "job_role": self.job_role,
            "execution_role": execution_role,
            "logging": ecs.LogDriver.aws_logs(stream_prefix=program, log_group=log_group),
        }
        name = f"{stack.stack_name}-{program}"
        super().__init__(
            scope,
            construct_id,
            job_definition_name=name,
            container=_fargate_container(container) if compute == "fargate" else _ec2_container(container),
            retry_attempts=attempts,
            retry_strategies=[
                batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.SPOT_INSTANCE_RECLAIMED),
                *(
                    batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.custom(on_exit_code=str(status)))
                    for status in retried_statuses
                ),
                batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom(on_reason="*")),
            ],
            timeout=timeout,
            propagate_tags=True,
        )
        arn = stack.format_arn(service="batch", resource="job-definition", resource_name=name)
        self.any_revision = batch.EcsJobDefinition.from_job_definition_arn(scope, f"{construct_id}OfAnyRevision", arn)


def job_failed(name: str, queue: batch.IJobQueue, *, title: str, kind: str, fix: str, **detail: Any) -> FailureEvent:
    """An alert for failed jobs of a queue.

    Args:
        name: Construct id of the EventBridge rule.
        kind: What the message calls a job.
        fix: What the user does after the cause is fixed.
        detail: Further conditions on the detail of the event.
    """
    job, reason = event_fields("jobName", "statusReason")
    return FailureEvent(
        name,
        title,
        events.EventPattern(
            source=["aws.batch"],
            detail_type=["Batch Job State Change"],
            detail={"status": ["FAILED"], "jobQueue": [queue.job_queue_arn], **detail},
        ),
        f"The {kind} {job} failed ({reason}). See the job log on the dashboard. Fix the cause, then {fix}.",
    )


def job_blocked(*queues: batch.IJobQueue) -> FailureEvent:
    """An alert for a job that blocks its queue, for example because of a quota."""
    job, reason = event_fields("jobName", "statusReason")
    return FailureEvent(
        "AlbumWaits",
        "A Batch job cannot start",
        events.EventPattern(
            source=["aws.batch"],
            detail_type=["Batch Job Queue Blocked"],
            detail={"jobQueue": [queue.job_queue_arn for queue in queues]},
        ),
        f"The Batch job {job} cannot start ({reason}). Check the vCPU quotas of the account for EC2 and Fargate, or "
        "terminate the job in the Batch console.",
    )


def _ec2_container(properties: dict[str, Any]) -> batch.IEcsContainerDefinition:
    return batch.EcsEc2ContainerDefinition(**properties, readonly_root_filesystem=True)


def _fargate_container(properties: dict[str, Any]) -> batch.IEcsContainerDefinition:
    return batch.EcsFargateContainerDefinition(
        **properties,
        assign_public_ip=True,  # in a public subnet without a NAT gateway, the only route to the registry
        fargate_cpu_architecture=ecs.CpuArchitecture.ARM64,
        fargate_operating_system_family=ecs.OperatingSystemFamily.LINUX,
    )
