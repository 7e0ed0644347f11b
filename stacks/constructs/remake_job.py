"""The Batch job definition of a remake, which regenerates the thumbnails of all photos, and an alert if it fails."""

from typing import Any

from aws_cdk import Duration, Size
from aws_cdk import aws_batch as batch
from aws_cdk import aws_events as events
from constructs import Construct

from stacks.constructs.batch_job import BatchJob, job_failed
from stacks.constructs.monitoring import FailureEvent
from stacks.constructs.thumbnailer import allow_thumbnails
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.policies import allow
from stacks.support.shared_resources import PhotoStorage


class RemakeJob(BatchJob):
    """The job definition that runs `python -m thumbnailer.remake <manifest>` on EC2.

    Args:
        options: Further arguments of BatchJob.
    """

    def __init__(self, scope: Construct, construct_id: str, *, storage: PhotoStorage, **options: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            program="remake",
            compute="ec2",
            command=["python", "-m", "thumbnailer.remake", "Ref::manifest"],
            vcpu=1,
            # An instance with 2 GiB registers less, and Batch reserves 32 MiB of it ("Compute resource memory
            # management" in the Batch guide). The decoder uses up to 1,350 MiB (`photos/limits.py`).
            memory=Size.mebibytes(1664),
            environment=storage.environment_variables(),
            # Each attempt repeats a slice, which takes a minute. Status 1 means that some photos failed.
            attempts=3,
            retried_statuses=[1],
            # For a slice of 200 photos that all reach the limit of CPU time, or of many more photos in a bucket with
            # millions. The program itself limits the time of each photo and each call.
            timeout=Duration.hours(6),
            **options,
        )
        allow_thumbnails(self.job_role, storage)
        allow(self.job_role, ["s3:GetObject"], storage.thumbnails.arn_for_objects("remakes/*"))
        # To find what a killed attempt left behind. Also, S3 returns AccessDenied without it for a missing manifest.
        allow(self.job_role, ["s3:ListBucket"], storage.thumbnails.bucket_arn)
        acknowledge_wildcard(self.job_role, storage.thumbnails, "Each remake has its own manifest", objects="remakes/*")


def remake_failed(queue: batch.IJobQueue) -> FailureEvent:
    """An alert for a failed remake, which `make remake` reports only to a terminal that is still open."""
    return job_failed(
        "RemakeFailed",
        queue,
        title="A remake failed",
        kind="job",
        fix="run `make remake`",
        jobName=events.Match.prefix("remake-"),
        jobId=events.Match.anything_but_wildcard("*:*"),  # not the children, which the array job includes
    )
