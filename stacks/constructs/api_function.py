"""The function behind the REST API. Its role also authorizes the requests that use its presigned URLs."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.python_function import PythonFunction
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.settings import Target
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

# Less than the integration timeout of API Gateway, which is 29 s.
_TIMEOUT = Duration.seconds(25)


class ApiFunction(PythonFunction):
    """`lambda_src/api`, with its permissions.

    Args:
        allowed_cidr: Source addresses from which its presigned URLs work. If None, they do not work.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PhotoStorage,
        album_jobs: AlbumJobs,
        allowed_cidr: str | None,
        target: Target,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            source="api",
            target=target,
            memory_size=1024,  # for the CPU share: most of a cold start is loading Python and boto3
            timeout=_TIMEOUT,
            environment={
                **storage.environment_variables(),
                "PAGE_JOB_QUEUE": album_jobs.page_queue.job_queue_arn,
                "PAGE_JOB_DEFINITION": album_jobs.page_job.job_definition_arn,
                "BIND_JOB_QUEUE": album_jobs.bind_queue.job_queue_arn,
                "BIND_JOB_DEFINITION": album_jobs.bind_job.job_definition_arn,
            },
            description="Handles REST API requests: photos, presigned URLs, albums",
            # API Gateway decides which requests are traced. Functions without such a caller trace one event per second
            # and 5 % of the others, a rate that cannot be set: every photo, if photos arrive slowly.
            tracing=lambda_.Tracing.ACTIVE,
        )
        acknowledge_wildcard(self.execution_role, "*", "X-Ray actions have no resource type")
        self._allow_photos(storage)
        self._allow_albums(storage.thumbnails, album_jobs)
        if allowed_cidr:
            self._allow_presigned_urls(storage, allowed_cidr)

    def _allow_photos(self, storage: PhotoStorage) -> None:
        originals, catalogue = storage.originals, storage.catalogue
        self.allow(["dynamodb:Query"], *(f"{catalogue.table_arn}/index/{name}" for name in ("newest-first", "by-id")))
        self.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"], catalogue.table_arn)
        self.allow(["s3:DeleteObject"], originals.arn_for_objects("*"))
        acknowledge_wildcard(self.execution_role, originals, "Any object in the bucket is a photo, under any key")

    def _allow_albums(self, bucket: s3.IBucket, album_jobs: AlbumJobs) -> None:
        requests = ["albums/*/manifest.json", "albums/*/jobs.json"]
        self.allow(["s3:PutObject", "s3:GetObject"], *(bucket.arn_for_objects(objects) for objects in requests))
        for objects in requests:
            acknowledge_wildcard(self.execution_role, bucket, "Each album has its own folder", objects=objects)
        self.allow(["s3:ListBucket"], bucket.bucket_arn, conditions={"StringLike": {"s3:prefix": "albums/*"}})
        queues = [album_jobs.page_queue.job_queue_arn, album_jobs.bind_queue.job_queue_arn]
        jobs = [album_jobs.page_job.job_definition_arn, album_jobs.bind_job.job_definition_arn]
        # Batch also checks the permission for the revision that it selects.
        revisions = [f"{job}:*" for job in jobs]
        self.allow(["batch:SubmitJob"], *queues, *jobs, *revisions)
        for revision in revisions:
            acknowledge_wildcard(self.execution_role, revision, "A job uses the latest revision, whatever its number")
        self.allow(["batch:DescribeJobs"], "*")
        acknowledge_wildcard(self.execution_role, "*", "batch:DescribeJobs has no resource type")

    def _allow_presigned_urls(self, storage: PhotoStorage, allowed_cidr: str) -> None:
        # A request with a presigned URL has the permissions of this role, so the role itself limits the source address.
        from_cidr = {"IpAddress": {"aws:SourceIp": allowed_cidr}}
        for action, bucket, objects in (
            ("s3:PutObject", storage.originals, "uploads/*"),
            ("s3:GetObject", storage.thumbnails, "*/*.webp"),
            ("s3:GetObject", storage.thumbnails, "albums/*/album.pdf"),
        ):
            self.allow([action], bucket.arn_for_objects(objects), conditions=from_cidr)
            acknowledge_wildcard(
                self.execution_role, bucket, "A presigned URL contains the key of one object", objects=objects
            )
