"""The function behind the API, and what it may do: its own calls, and what whoever holds one of its links may do."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.python_function import PythonFunction
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.settings import Target
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

# Less than the 29 s that API Gateway waits.
_TIMEOUT = Duration.seconds(25)


class ApiFunction(PythonFunction):
    """`lambda_src/api`, with its rights.

    allowed_cidr: from where the links that it signs hold; None: from nowhere
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
            memory_size=1024,  # for its processor: a cold start is mostly the start of Python and boto3
            timeout=_TIMEOUT,
            environment={
                "ORIGINALS_BUCKET": storage.originals.bucket_name,
                "THUMBNAILS_BUCKET": storage.thumbnails.bucket_name,
                "CATALOGUE_TABLE": storage.catalogue.table_name,
                "PAGE_JOB_QUEUE": album_jobs.page_queue.job_queue_arn,
                "PAGE_JOB_DEFINITION": album_jobs.page_job.job_definition_arn,
                "BIND_JOB_QUEUE": album_jobs.bind_queue.job_queue_arn,
                "BIND_JOB_DEFINITION": album_jobs.bind_job.job_definition_arn,
            },
            description="Answers the REST API: photos, upload forms, albums",
        )
        self._let_list_announce_and_delete(storage)
        self._let_order_albums(storage.thumbnails, album_jobs)
        if allowed_cidr:
            self._let_sign_links(storage, allowed_cidr)

    def _allow(self, actions: Sequence[str], *resources: str, conditions: Mapping[str, Any] | None = None) -> None:
        self.add_to_role_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
        )

    def _let_list_announce_and_delete(self, storage: PhotoStorage) -> None:
        originals, catalogue = storage.originals, storage.catalogue
        self._allow(["dynamodb:Query"], *(f"{catalogue.table_arn}/index/{name}" for name in ("newest-first", "by-id")))
        self._allow(["dynamodb:PutItem", "dynamodb:DeleteItem"], catalogue.table_arn)
        self._allow(["s3:DeleteObject"], originals.arn_for_objects("*"))
        acknowledge_wildcard(self.execution_role, originals, "Any object in the bucket is a photo, under any key")

    def _let_order_albums(self, bucket: s3.IBucket, album_jobs: AlbumJobs) -> None:
        queues = [album_jobs.page_queue, album_jobs.bind_queue]
        jobs = [album_jobs.page_job, album_jobs.bind_job]
        of_orders = ["albums/*/manifest.json", "albums/*/jobs.json"]
        self._allow(["s3:PutObject", "s3:GetObject"], *(bucket.arn_for_objects(objects) for objects in of_orders))
        for objects in of_orders:
            acknowledge_wildcard(self.execution_role, bucket, "Each album has a folder of its own", objects=objects)
        self._allow(["s3:ListBucket"], bucket.bucket_arn, conditions={"StringLike": {"s3:prefix": "albums/*"}})
        revisions = [f"{job.job_definition_arn}:*" for job in jobs]
        self._allow(
            ["batch:SubmitJob"],
            *(queue.job_queue_arn for queue in queues),
            *(job.job_definition_arn for job in jobs),
            *revisions,  # Batch finds the newest one, and asks for the right to that
        )
        for revision in revisions:
            acknowledge_wildcard(self.execution_role, revision, "A job is of the newest revision, whichever that is")
        self._allow(["batch:DescribeJobs"], "*")
        acknowledge_wildcard(self.execution_role, "*", "batch:DescribeJobs is about no particular resource")

    def _let_sign_links(self, storage: PhotoStorage, allowed_cidr: str) -> None:
        # Whoever holds a link acts as the function's role, which may do this from there only.
        from_there = {"IpAddress": {"aws:SourceIp": allowed_cidr}}
        for action, bucket, objects in (
            ("s3:PutObject", storage.originals, "uploads/*"),
            ("s3:GetObject", storage.thumbnails, "*/*.webp"),
            ("s3:GetObject", storage.thumbnails, "albums/*/album.pdf"),
        ):
            self._allow([action], bucket.arn_for_objects(objects), conditions=from_there)
            acknowledge_wildcard(
                self.execution_role, bucket, "What a link leads to is known when it is made", objects=objects
            )
