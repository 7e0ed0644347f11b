"""AWS Batch, in the notes "a fully managed service for running batch processing workloads": jobs of minutes to hours.

The work here is an album: contact sheets of many photos, bound to one PDF. Of what the notes say:

- "a job with a start and an end", "defined as Docker images and run on ECS": two job definitions of one image;
- "dynamically launch EC2 instances or Spot Instances": an environment of Spot hosts, and behind it in the same queue
  one of on-demand hosts for what Spot has no room for; both have no host at all until a job comes;
- "the right amount of compute / memory": each definition says what its job needs, and Batch chooses the hosts;
- a Fargate environment needs a queue of its own: Batch mixes neither the kinds nor the processors within one.

    submit → array job `page` × n, EC2 queue → when all are done, job `bind`, Fargate queue → album.pdf

Pages are many, alike, and harmless to lose: work for the cheapest hosts. Binding is one short job: not worth a host.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.constructs.batch_instances import BatchInstances
from stacks.constructs.monitoring import FailureEvent, Monitoring
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

# New accounts may run five vCPUs of Spot hosts and five on demand (EC2 quotas). Each host of the gallery takes two of
# the latter: while it has two hosts, there is no room for one of ours.
_MAX_SPOT_VCPUS = 4
_MAX_ON_DEMAND_VCPUS = 2

# And six of Fargate, of which the gallery has a fraction.
_MAX_FARGATE_VCPUS = 4

# A page takes seconds, and the PDF of the largest album a minute: what runs this long will never end.
_TIMEOUT = Duration.minutes(10)

# A host taken back is the only end that another try may mend; what fails by itself fails again.
_ATTEMPTS = 5
_RETRY_RECLAIMED_HOSTS = [
    batch.RetryStrategy.of(batch.Action.RETRY, batch.Reason.SPOT_INSTANCE_RECLAIMED),
    batch.RetryStrategy.of(batch.Action.EXIT, batch.Reason.custom(on_reason="*")),
]


class BatchStack(Stack):
    """Environments, queues and the two job definitions of an album.

    album_jobs: for who orders albums
    Each definition has one parameter, `album`: the id of an album whose manifest is in the bucket.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        image: ecs.ContainerImage,
        storage: PhotoStorage,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._image = image
        self._bucket = storage.thumbnails
        self._log_group = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
        )
        self._execution_role = self._role("ExecutionRole")  # what is granted to it, the job definitions add
        acknowledge_wildcard(
            self._execution_role, "*", "ecr:GetAuthorizationToken is about the whole registry: it has no resource"
        )

        hosts = BatchInstances(
            self, "Hosts", vpc=vpc, max_spot_vcpus=_MAX_SPOT_VCPUS, max_on_demand_vcpus=_MAX_ON_DEMAND_VCPUS
        )
        self.album_jobs = AlbumJobs(
            page_queue=self._queue("Queue", hosts.environments),
            bind_queue=self._queue("FargateQueue", [self._fargate(vpc)]),
            page_job=self._page_job(storage.catalogue),
            bind_job=self._bind_job(),
        )
        # Batch has no metrics of jobs: what they print says how they do.
        self.monitoring = Monitoring(
            "Albums", failure_events=[self._album_failed(), self._album_waits()], log=self._log_group
        )

        CfnOutput(self, "JobQueue", value=self.album_jobs.page_queue.job_queue_arn)
        CfnOutput(self, "BindJobQueue", value=self.album_jobs.bind_queue.job_queue_arn)

    def _album_failed(self) -> FailureEvent:
        job, reason = (events.EventField.from_path(f"$.detail.{field}") for field in ("jobName", "statusReason"))
        return FailureEvent(
            "AlbumFailed",
            "No album.pdf comes of an order",
            # Of the binding alone, which fails with any page: one message for an album, not one for each page.
            events.EventPattern(
                source=["aws.batch"],
                detail_type=["Batch Job State Change"],
                detail={"status": ["FAILED"], "jobQueue": [self.album_jobs.bind_queue.job_queue_arn]},
            ),
            f"The job {job} failed ({reason}). The log of the jobs, on the dashboard, says why. "
            "Mend that, then order the album again.",
        )

    def _album_waits(self) -> FailureEvent:
        job, reason = (events.EventField.from_path(f"$.detail.{field}") for field in ("jobName", "statusReason"))
        queues = [self.album_jobs.page_queue, self.album_jobs.bind_queue]
        return FailureEvent(
            "AlbumWaits",
            "An album waits for a host that does not come",
            events.EventPattern(
                source=["aws.batch"],
                detail_type=["Batch Job Queue Blocked"],
                detail={"jobQueue": [queue.job_queue_arn for queue in queues]},
            ),
            f"The job {job} cannot start ({reason}). See the account's quotas of vCPUs for EC2 and Fargate, or end the "
            "job in the Batch console.",
        )

    def _fargate(self, vpc: ec2.IVpc) -> batch.IComputeEnvironment:
        return batch.FargateComputeEnvironment(
            self,
            "Fargate",
            maxv_cpus=_MAX_FARGATE_VCPUS,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            replace_compute_environment=True,
        )

    def _queue(self, construct_id: str, environments: Sequence[batch.IComputeEnvironment]) -> batch.JobQueue:
        return batch.JobQueue(
            self,
            construct_id,
            compute_environments=[
                batch.OrderedComputeEnvironment(compute_environment=environment, order=order)
                for order, environment in enumerate(environments, start=1)
            ],
            # Cancels a job only where AWS has no capacity. Of one that waits for another reason, such as a quota,
            # `_album_waits` tells (Batch guide, "Jobs stuck in a RUNNABLE status").
            job_state_time_limit_actions=[
                batch.JobStateTimeLimitAction(
                    reason=batch.JobStateTimeLimitActionsReason.INSUFFICIENT_INSTANCE_CAPACITY,
                    max_time=Duration.hours(1),
                )
            ],
        )

    def _page_job(self, catalogue: dynamodb.ITable) -> batch.IJobDefinition:
        role = self._role("PageRole")
        self._grant(role, read=["albums/*/manifest.json", "*/*.webp"], write="albums/*/pages/*")
        role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:GetItem"], resources=[catalogue.table_arn]))
        container = batch.EcsEc2ContainerDefinition(
            self,
            "PageContainer",
            image=self._image,
            command=["python", "-m", "album", "page", "Ref::album"],
            cpu=1,
            memory=Size.mebibytes(512),
            environment=self._environment(catalogue),
            job_role=role,
            execution_role=self._execution_role,
            logging=self._logging("page"),
            readonly_root_filesystem=True,
        )
        return self._job("Page", container, output="AlbumJobDefinition")

    def _bind_job(self) -> batch.IJobDefinition:
        role = self._role("BindRole")
        self._grant(role, read=["albums/*/manifest.json", "albums/*/pages/*"], write="albums/*/album.pdf")
        container = batch.EcsFargateContainerDefinition(
            self,
            "BindContainer",
            image=self._image,
            command=["python", "-m", "album", "bind", "Ref::album"],
            cpu=0.25,
            memory=Size.mebibytes(512),
            environment=self._environment(),
            job_role=role,
            execution_role=self._execution_role,
            logging=self._logging("bind"),
            assign_public_ip=True,  # in a public subnet without NAT, the only way to the registry
            fargate_cpu_architecture=ecs.CpuArchitecture.ARM64,
            fargate_operating_system_family=ecs.OperatingSystemFamily.LINUX,
        )
        return self._job("Bind", container, output="BindJobDefinition")

    def _job(self, construct_id: str, container: batch.IEcsContainerDefinition, *, output: str) -> batch.IJobDefinition:
        name = f"{self.stack_name}-{construct_id.lower()}"
        newest = batch.EcsJobDefinition(
            self,
            construct_id,
            job_definition_name=name,
            container=container,
            retry_attempts=_ATTEMPTS,
            retry_strategies=_RETRY_RECLAIMED_HOSTS,
            timeout=_TIMEOUT,
            propagate_tags=True,
        )
        CfnOutput(self, output, value=newest.job_definition_arn)
        # A change is a new revision, and CloudFormation takes the one before out of use. Another stack that knew it by
        # its number could submit no job any more, as it is not updated with this one.
        arn = self.format_arn(service="batch", resource="job-definition", resource_name=name)
        return batch.EcsJobDefinition.from_job_definition_arn(self, f"{construct_id}OfAnyRevision", arn)

    def _environment(self, catalogue: dynamodb.ITable | None = None) -> Mapping[str, str]:
        return {
            # Batch tells its jobs no region, and on EC2 the agent of ECS does not before its version of April 2026
            # (amazon-ecs-agent 4946). Without one, boto3 makes no client.
            "AWS_DEFAULT_REGION": self.region,
            "THUMBNAILS_BUCKET": self._bucket.bucket_name,
            **({"CATALOGUE_TABLE": catalogue.table_name} if catalogue else {}),
        }

    def _logging(self, prefix: str) -> ecs.LogDriver:
        return ecs.LogDriver.aws_logs(stream_prefix=prefix, log_group=self._log_group)

    def _role(self, construct_id: str) -> iam.Role:
        return iam.Role(self, construct_id, assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))

    def _grant(self, role: iam.Role, *, read: Sequence[str], write: str) -> None:
        """Let a job read and write objects of these patterns, and be told when one of them is not there."""
        for action, resources in (
            ("s3:GetObject", [self._bucket.arn_for_objects(objects) for objects in read]),
            ("s3:PutObject", [self._bucket.arn_for_objects(write)]),
            # Without it S3 answers "access denied" where it means "not found".
            ("s3:ListBucket", [self._bucket.bucket_arn]),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=[action], resources=resources))
        for objects in read:
            acknowledge_wildcard(
                role, self._bucket, "What an album is made of is known when it is asked for", objects=objects
            )
        acknowledge_wildcard(role, self._bucket, "Each album has a folder of its own", objects=write)
