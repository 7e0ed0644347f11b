"""Asking for an album: its manifest is stored, an array job makes the pages, and a job after it binds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from photos.albums import Album, manifest_key

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_batch.type_defs import SubmitJobRequestTypeDef
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class JobKind:
    """A job definition, and the queue with hosts that can run it: their names or ARNs."""

    queue: str
    definition: str


class AlbumJobs:
    """Submits the jobs of albums."""

    def __init__(self, batch: BatchClient, s3: S3Client, bucket: str, *, page: JobKind, bind: JobKind) -> None:
        self._batch = batch
        self._s3 = s3
        self._bucket = bucket
        self._page = page
        self._bind = bind

    def submit(self, album: Album) -> str:
        """Have this album made. Returns the id of the last job: when that has succeeded, the PDF is there."""
        self._s3.put_object(
            Bucket=self._bucket, Key=manifest_key(album.id), Body=album.to_json(), ContentType="application/json"
        )
        request: SubmitJobRequestTypeDef = {
            "jobName": f"album-{album.id}-pages",
            "jobQueue": self._page.queue,
            "jobDefinition": self._page.definition,
            "parameters": {"album": album.id},
        }
        if album.page_count > 1:  # the least that AWS calls an array; a plain job makes the first page
            request["arrayProperties"] = {"size": album.page_count}
        pages = self._batch.submit_job(**request)
        bound = self._batch.submit_job(
            jobName=f"album-{album.id}-bind",
            jobQueue=self._bind.queue,
            jobDefinition=self._bind.definition,
            parameters={"album": album.id},
            dependsOn=[{"jobId": pages["jobId"]}],
        )
        return bound["jobId"]
