"""Albums made by Batch jobs alone, without the API."""

from typing import Any
from uuid import uuid4

from local.deployment import Deployment
from photos.album_jobs import AlbumJobs, JobTarget
from photos.albums import Album, pdf_key
from tests.e2e.eventually import eventually
from tests.e2e.photos import catalogue, read_object


def album_jobs(deployment: Deployment) -> AlbumJobs:
    """Return the jobs of the stack `Batch`, with the permissions of the test's credentials."""
    outputs = deployment.outputs["Batch"]
    return AlbumJobs(
        deployment.client("batch"),
        deployment.client("s3"),
        deployment.outputs["Thumbnails"]["ThumbnailsBucket"],
        page=JobTarget(outputs["JobQueue"], outputs["AlbumJobDefinition"]),
        bind=JobTarget(outputs["BindJobQueue"], outputs["BindJobDefinition"]),
    )


def describe_job(deployment: Deployment, job_id: str) -> dict[str, Any]:
    """Return the description of a job."""
    (job,) = deployment.client("batch").describe_jobs(jobs=[job_id])["jobs"]
    description: dict[str, Any] = job
    return description


def finished_job(deployment: Deployment, job_id: str) -> dict[str, Any]:
    """Wait until a job has succeeded or failed, and return its description."""
    eventually(lambda: describe_job(deployment, job_id)["status"] in ("SUCCEEDED", "FAILED"))
    return describe_job(deployment, job_id)


def make_album(deployment: Deployment) -> None:
    """Make an album with one photo per page, of all photos and of one that does not exist."""
    album = Album(
        uuid4().hex, "All", "2026-11-24T10:00:00.000Z", (*catalogue(deployment), "missing.jpg"), photos_per_page=1
    )
    job = finished_job(deployment, album_jobs(deployment).submit(album))
    assert job["status"] == "SUCCEEDED", "\n".join([str(job), *deployment.log_lines("Batch")])
    assert read_object(deployment, pdf_key(album.id)).startswith(b"%PDF-")
