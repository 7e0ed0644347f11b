"""The AWS Batch jobs of an album: an array job creates the pages, and a dependent job combines them into a PDF."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from photos.albums import Album, jobs_key, manifest_key

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_batch.type_defs import SubmitJobRequestTypeDef
    from mypy_boto3_s3 import S3Client


class AlbumState(StrEnum):
    """The state of an album."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class JobsOutcome(NamedTuple):
    """The outcome of the jobs of an album.

    Attributes:
        reason: If the jobs failed, a sentence to display.
    """

    state: AlbumState
    reason: str = ""


@dataclass(frozen=True)
class JobTarget:
    """A job definition, and a job queue whose instances can run it. Both are names or ARNs."""

    queue: str
    definition: str


class AlbumJobs:
    """Submits the jobs of albums and queries their outcome.

    Args:
        batch: Client of AWS Batch.
        s3: Client of Amazon S3.
        bucket: The thumbnails bucket, which contains the albums.
        page: Target of the array job that creates the pages.
        bind: Target of the job that combines the pages.
    """

    def __init__(self, batch: BatchClient, s3: S3Client, bucket: str, *, page: JobTarget, bind: JobTarget) -> None:
        self._batch = batch
        self._s3 = s3
        self._bucket = bucket
        self._page = page
        self._bind = bind

    def submit(self, album: Album) -> str:
        """Submit the jobs of an album. Returns the id of the last job, which writes the PDF."""
        self._write(manifest_key(album.id), album.to_json())
        request: SubmitJobRequestTypeDef = {
            "jobName": f"album-{album.id}-pages",
            "jobQueue": self._page.queue,
            "jobDefinition": self._page.definition,
            "parameters": {"album": album.id},
        }
        if album.page_count > 1:  # the minimum array size; a single job creates the first page
            request["arrayProperties"] = {"size": album.page_count}
        pages = self._batch.submit_job(**request)["jobId"]
        bind = self._batch.submit_job(
            jobName=f"album-{album.id}-bind",
            jobQueue=self._bind.queue,
            jobDefinition=self._bind.definition,
            parameters={"album": album.id},
            dependsOn=[{"jobId": pages}],
        )["jobId"]
        self._write(jobs_key(album.id), json.dumps({"pages": pages, "bind": bind}).encode())
        return bind

    def outcome(self, album_id: str) -> JobsOutcome:
        """Return the outcome of the jobs that were submitted for an album."""
        with closing(self._s3.get_object(Bucket=self._bucket, Key=jobs_key(album_id))["Body"]) as body:
            ids = json.loads(body.read())
        described = self._batch.describe_jobs(jobs=list(ids.values()))["jobs"]
        status = {job["jobId"]: job["status"] for job in described}
        pages, bind = status.get(ids["pages"]), status.get(ids["bind"])
        if bind == "SUCCEEDED":
            return JobsOutcome(AlbumState.READY)
        if pages == "FAILED":
            return JobsOutcome(AlbumState.FAILED, "The pages could not be created.")
        if bind == "FAILED":
            return JobsOutcome(AlbumState.FAILED, "The pages could not be combined into a PDF.")
        if bind is None:  # AWS Batch deletes jobs some days after they end
            return JobsOutcome(AlbumState.FAILED, "The album was not completed. AWS Batch no longer has its jobs.")
        return JobsOutcome(AlbumState.RUNNING)

    def _write(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/json")
