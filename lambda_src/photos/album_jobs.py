"""The jobs of an album: an array job makes the pages, and a job after it binds them."""

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
    """What became of an album."""

    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class Outcome(NamedTuple):
    """What became of the jobs of an album. reason: if they failed, a sentence for people"""

    state: AlbumState
    reason: str = ""


@dataclass(frozen=True)
class JobTarget:
    """A job definition, and the queue with hosts that can run it: their names or ARNs."""

    queue: str
    definition: str


class AlbumJobs:
    """Submits the jobs of albums, and tells what became of them."""

    def __init__(self, batch: BatchClient, s3: S3Client, bucket: str, *, page: JobTarget, bind: JobTarget) -> None:
        self._batch = batch
        self._s3 = s3
        self._bucket = bucket
        self._page = page
        self._bind = bind

    def submit(self, album: Album) -> str:
        """Have this album made. Returns the id of the last job: when that has succeeded, the PDF is there."""
        self._write(manifest_key(album.id), album.to_json())
        request: SubmitJobRequestTypeDef = {
            "jobName": f"album-{album.id}-pages",
            "jobQueue": self._page.queue,
            "jobDefinition": self._page.definition,
            "parameters": {"album": album.id},
        }
        if album.page_count > 1:  # the least that AWS calls an array; a plain job makes the first page
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

    def outcome(self, album_id: str) -> Outcome:
        """What became of the jobs that were submitted for an album."""
        with closing(self._s3.get_object(Bucket=self._bucket, Key=jobs_key(album_id))["Body"]) as body:
            ids = json.loads(body.read())
        described = self._batch.describe_jobs(jobs=list(ids.values()))["jobs"]
        status = {job["jobId"]: job["status"] for job in described}
        pages, bind = status.get(ids["pages"]), status.get(ids["bind"])
        if bind == "SUCCEEDED":
            return Outcome(AlbumState.READY)
        if pages == "FAILED":
            return Outcome(AlbumState.FAILED, "Its pages could not be made.")
        if bind == "FAILED":
            return Outcome(AlbumState.FAILED, "Its pages could not be bound.")
        if bind is None:  # AWS Batch forgets jobs some days after they ended
            return Outcome(AlbumState.FAILED, "It was not finished, and it is no longer known why.")
        return Outcome(AlbumState.RUNNING)

    def _write(self, key: str, manifest: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=manifest, ContentType="application/json")
