"""Batch job definitions for the steps of an album, each with a least-privilege role, and alerts for failed jobs."""

from collections.abc import Sequence
from typing import Any, Literal

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.monitoring import FailureEvent, event_fields
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.policies import allow

# A page takes seconds, and the PDF of the largest album takes a minute. A job that runs this long has hung.
_TIMEOUT = Duration.minutes(10)

# Retry after a Spot interruption only: a job that fails for its own reasons fails again.
_ATTEMPTS = 5
_RETRY_STRATEGIES = [
    batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.SPOT_INSTANCE_RECLAIMED),
    batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom(on_reason="*")),
]


class AlbumJob(batch.EcsJobDefinition):
    """The job definition that runs `python -m album <step> <album id>`.

    Args:
        step: Subcommand of the program in `containers/album`; also the suffix of the definition's name.
        reads: Object key patterns in `bucket` that the job reads.
        writes: Object key pattern in `bucket` that the job writes.
        catalogue: Table that the job reads, if any.
        execution_role: Role that pulls the image and writes the log. The job definition grants it these permissions.

    Attributes:
        any_revision: The definition without its revision number. An update creates a revision and deregisters the
            previous one, so a stack that refers to a number could not submit jobs until its own next update.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        step: Literal["page", "bind"],
        compute: Literal["ec2", "fargate"],
        image: ecs.ContainerImage,
        bucket: s3.IBucket,
        reads: Sequence[str],
        writes: str,
        catalogue: dynamodb.ITable | None = None,
        execution_role: iam.IRole,
        log_group: logs.ILogGroup,
    ) -> None:
        stack = Stack.of(scope)
        role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        _allow_objects(role, bucket, reads, writes)
        if catalogue:
            allow(role, ["dynamodb:GetItem"], catalogue.table_arn)
        container: dict[str, Any] = {
            "scope": scope,
            "id": f"{construct_id}Container",
            "image": image,
            "command": ["python", "-m", "album", step, "Ref::album"],
            "memory": Size.mebibytes(512),
            "environment": {
                # Batch does not set the Region. On EC2, neither does the ECS agent before April 2026 (amazon-ecs-agent
                # 4946). Without a Region, boto3 cannot create a client.
                "AWS_DEFAULT_REGION": stack.region,
                "THUMBNAILS_BUCKET": bucket.bucket_name,
                **({"CATALOGUE_TABLE": catalogue.table_name} if catalogue else {}),
            },
            "job_role": role,
            "execution_role": execution_role,
            "logging": ecs.LogDriver.aws_logs(stream_prefix=step, log_group=log_group),
        }
        name = f"{stack.stack_name}-{step}"
        super().__init__(
            scope,
            construct_id,
            job_definition_name=name,
            container=_fargate_container(container) if compute == "fargate" else _ec2_container(container),
            retry_attempts=_ATTEMPTS,
            retry_strategies=_RETRY_STRATEGIES,
            timeout=_TIMEOUT,
            propagate_tags=True,
        )
        arn = stack.format_arn(service="batch", resource="job-definition", resource_name=name)
        self.any_revision = batch.EcsJobDefinition.from_job_definition_arn(scope, f"{construct_id}OfAnyRevision", arn)


def album_failed(bind_queue: batch.IJobQueue) -> FailureEvent:
    """An alert for a failed album. The bind job fails if a page fails, so its queue reports each album once."""
    job, reason = event_fields("jobName", "statusReason")
    return FailureEvent(
        "AlbumFailed",
        "An album job failed",
        events.EventPattern(
            source=["aws.batch"],
            detail_type=["Batch Job State Change"],
            detail={"status": ["FAILED"], "jobQueue": [bind_queue.job_queue_arn]},
        ),
        f"The album job {job} failed ({reason}). See the job log on the dashboard. Fix the cause, then request the "
        "album again.",
    )


def album_blocked(*queues: batch.IJobQueue) -> FailureEvent:
    """An alert for a job that blocks its queue, for example because of a quota."""
    job, reason = event_fields("jobName", "statusReason")
    return FailureEvent(
        "AlbumWaits",
        "An album job cannot start",
        events.EventPattern(
            source=["aws.batch"],
            detail_type=["Batch Job Queue Blocked"],
            detail={"jobQueue": [queue.job_queue_arn for queue in queues]},
        ),
        f"The album job {job} cannot start ({reason}). Check the vCPU quotas of the account for EC2 and Fargate, or "
        "terminate the job in the Batch console.",
    )


def _ec2_container(properties: dict[str, Any]) -> batch.IEcsContainerDefinition:
    return batch.EcsEc2ContainerDefinition(**properties, cpu=1, readonly_root_filesystem=True)


def _fargate_container(properties: dict[str, Any]) -> batch.IEcsContainerDefinition:
    return batch.EcsFargateContainerDefinition(
        **properties,
        cpu=0.25,
        assign_public_ip=True,  # in a public subnet without a NAT gateway, the only route to the registry
        fargate_cpu_architecture=ecs.CpuArchitecture.ARM64,
        fargate_operating_system_family=ecs.OperatingSystemFamily.LINUX,
    )


def _allow_objects(role: iam.Role, bucket: s3.IBucket, reads: Sequence[str], writes: str) -> None:
    allow(role, ["s3:GetObject"], *(bucket.arn_for_objects(objects) for objects in reads))
    allow(role, ["s3:PutObject"], bucket.arn_for_objects(writes))
    # Without s3:ListBucket, S3 returns AccessDenied instead of NoSuchKey for an object that does not exist.
    allow(role, ["s3:ListBucket"], bucket.bucket_arn)
    for objects in reads:
        acknowledge_wildcard(
            role, bucket, "The photos of an album are known only when it is requested", objects=objects
        )
    acknowledge_wildcard(role, bucket, "Each album has its own folder", objects=writes)
