"""Batch job definitions for the steps of an album, each with a least-privilege role, and an alert for failed jobs."""

from collections.abc import Sequence
from typing import Any, Literal

from aws_cdk import Duration, Size
from aws_cdk import aws_batch as batch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.batch_job import BatchJob, job_failed
from stacks.constructs.monitoring import FailureEvent
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.policies import allow


class AlbumJob(BatchJob):
    """The job definition that runs `python -m album <step> <album id>`.

    Args:
        step: Subcommand of the program in `containers/album`.
        reads: Object key patterns in `bucket` that the job reads.
        writes: Object key pattern in `bucket` that the job writes.
        catalogue: Table that the job reads, if any.
        options: Further arguments of BatchJob.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        step: Literal["page", "bind"],
        compute: Literal["ec2", "fargate"],
        bucket: s3.IBucket,
        reads: Sequence[str],
        writes: str,
        catalogue: dynamodb.ITable | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            program=step,
            compute=compute,
            command=["python", "-m", "album", step, "Ref::album"],
            vcpu=0.25 if compute == "fargate" else 1,
            memory=Size.mebibytes(512),
            environment={
                "THUMBNAILS_BUCKET": bucket.bucket_name,
                **({"CATALOGUE_TABLE": catalogue.table_name} if catalogue else {}),
            },
            attempts=5,  # after a Spot interruption only: a job that fails for its own reasons fails again
            # A page takes seconds, and the PDF of the largest album takes a minute. A job that runs this long has hung.
            timeout=Duration.minutes(10),
            **options,
        )
        _allow_objects(self.job_role, bucket, reads, writes)
        if catalogue:
            allow(self.job_role, ["dynamodb:GetItem"], catalogue.table_arn)


def album_failed(bind_queue: batch.IJobQueue) -> FailureEvent:
    """An alert for a failed album. The bind job fails if a page fails, so its queue reports each album once."""
    return job_failed(
        "AlbumFailed",
        bind_queue,
        title="An album job failed",
        kind="album job",
        fix="request the album again",
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
