"""AWS Batch. In the notes: a "fully managed service for running batch processing workloads", for minutes to hours.

The work is an album (pages with many photos, bound to one PDF) and a remake (the thumbnails of all photos, regenerated
after a change of their sizes or quality). Of what the notes say, this stack shows:

- "A job with a start and an end", "defined as Docker images and run on ECS": three job definitions with two images.
- "Dynamically launch EC2 instances or Spot Instances": a job queue tries a Spot compute environment first, then an
  On-Demand one. Neither has an instance until a job is submitted.
- "The right amount of compute / memory": each job definition requests vCPUs and memory, and Batch chooses instances.

    album  → array job `page` × n, EC2 queue → after all have succeeded: job `bind`, Fargate queue → album.pdf
    remake → array job `remake` × n, EC2 queue → thumbnails

Page and remake jobs can be retried, so they run on Spot Instances. Binding is a single short job, which does not
justify an instance. Fargate needs its own queue: the compute environments of a queue must be all EC2 or all Fargate,
and have the same CPU architecture.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.album_job import AlbumJob, album_failed
from stacks.constructs.batch_instances import BatchInstances
from stacks.constructs.batch_job import job_blocked
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.remake_job import RemakeJob, remake_failed
from stacks.constructs.sandbox_log_group import SandboxLogGroup
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

# A new account can run five Spot vCPUs and five On-Demand vCPUs (EC2 quotas). Each EC2 instance of the gallery uses two
# On-Demand vCPUs. While the gallery has two instances, the quota leaves no room for an On-Demand instance here.
_MAX_SPOT_VCPUS = 4
_MAX_ON_DEMAND_VCPUS = 2

# A new account can run six Fargate vCPUs. The gallery uses a fraction of one.
_MAX_FARGATE_VCPUS = 4


class BatchStack(Stack):
    """The compute environments, the job queues, and the job definitions of an album and a remake.

    Each job definition has one parameter, which names a manifest in the thumbnails bucket: `album`, the id of an album,
    or `manifest`, the object key for a remake.

    Attributes:
        album_jobs: The queues and job definitions for submitting an album.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        album_image: ecs.ContainerImage,
        thumbnailer_image: ecs.ContainerImage,
        storage: PhotoStorage,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        log_group = SandboxLogGroup(self, "Log")
        execution_role = iam.Role(self, "ExecutionRole", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        acknowledge_wildcard(execution_role, "*", "ecr:GetAuthorizationToken has no resource type")

        instances = BatchInstances(
            self, "Hosts", vpc=vpc, max_spot_vcpus=_MAX_SPOT_VCPUS, max_on_demand_vcpus=_MAX_ON_DEMAND_VCPUS
        )
        fargate = batch.FargateComputeEnvironment(
            self,
            "Fargate",
            maxv_cpus=_MAX_FARGATE_VCPUS,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            replace_compute_environment=True,
        )
        # CloudFormation deletes a queue before its environments, because it refers to them. That terminates its jobs
        # (DeleteJobQueue in the API reference). A Fargate environment that is deleted while a job runs becomes INVALID.
        page_queue = self._queue("Queue", instances.environments)
        bind_queue = self._queue("FargateQueue", [fargate])

        common: dict[str, Any] = {"execution_role": execution_role, "log_group": log_group}
        album = {"image": album_image, "bucket": storage.thumbnails, **common}
        page = AlbumJob(
            self,
            "Page",
            step="page",
            compute="ec2",
            reads=["albums/*/manifest.json", "*/*.webp"],
            writes="albums/*/pages/*",
            catalogue=storage.catalogue,
            **album,
        )
        bind = AlbumJob(
            self,
            "Bind",
            step="bind",
            compute="fargate",
            reads=["albums/*/manifest.json", "albums/*/pages/*"],
            writes="albums/*/album.pdf",
            **album,
        )
        remake = RemakeJob(self, "Remake", image=thumbnailer_image, storage=storage, **common)
        self.album_jobs = AlbumJobs(page_queue, page.any_revision, bind_queue, bind.any_revision)
        # Batch publishes no job metrics, so the dashboard shows the job log.
        self.monitoring = Monitoring(
            "Albums and remakes",
            failure_events=[
                album_failed(bind_queue),
                remake_failed(page_queue),
                job_blocked(page_queue, bind_queue),
            ],
            log=log_group,
        )

        CfnOutput(self, "JobQueue", value=page_queue.job_queue_arn)
        CfnOutput(self, "BindJobQueue", value=bind_queue.job_queue_arn)
        CfnOutput(self, "AlbumJobDefinition", value=page.job_definition_arn)
        CfnOutput(self, "BindJobDefinition", value=bind.job_definition_arn)
        CfnOutput(self, "RemakeJobDefinition", value=remake.job_definition_arn)

    def _queue(self, construct_id: str, environments: Sequence[batch.IComputeEnvironment]) -> batch.JobQueue:
        return batch.JobQueue(
            self,
            construct_id,
            compute_environments=[
                batch.OrderedComputeEnvironment(compute_environment=environment, order=order)
                for order, environment in enumerate(environments, start=1)
            ],
            # Cancels a job only if AWS has no capacity. `job_blocked` reports a job that waits for another reason,
            # such as a quota ("Jobs stuck in a RUNNABLE status" in the Batch guide).
            job_state_time_limit_actions=[
                batch.JobStateTimeLimitAction(
                    reason=batch.JobStateTimeLimitActionsReason.INSUFFICIENT_INSTANCE_CAPACITY,
                    max_time=Duration.hours(1),
                )
            ],
        )
