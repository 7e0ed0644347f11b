"""An album made by the jobs alone, as it can be where the API is not deployed."""

from uuid import uuid4

from local.demo.catalogue import catalogue_items, wait_until
from local.deployment import Deployment
from local.sandbox import Sandbox
from photos.album_jobs import AlbumJobs, JobTarget
from photos.albums import Album, pdf_key


def album_jobs(deployment: Deployment) -> AlbumJobs:
    """The jobs of the stack `Batch`, with the rights of whoever deployed it."""
    outputs = deployment.outputs["Batch"]
    return AlbumJobs(
        deployment.client("batch"),
        deployment.client("s3"),
        deployment.outputs["Thumbnails"]["ThumbnailsBucket"],
        page=JobTarget(outputs["JobQueue"], outputs["AlbumJobDefinition"]),
        bind=JobTarget(outputs["BindJobQueue"], outputs["BindJobDefinition"]),
    )


def make_album(sandbox: Sandbox) -> None:
    """Make one of two pages or more, of all photos there are and one that is not. Raises SandboxError."""
    photos = (*(item["key"] for item in catalogue_items(sandbox)), "never uploaded.jpg")
    album = Album(uuid4().hex, "All", "2026-11-24T10:00:00.000Z", photos, photos_per_page=1)
    bound = album_jobs(sandbox).submit(album)
    bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]

    def ended() -> bool:
        (job,) = sandbox.client("batch").describe_jobs(jobs=[bound])["jobs"]
        assert job["status"] != "FAILED", job
        return bool(job["status"] == "SUCCEEDED")

    wait_until(sandbox, "the album is bound", ended)
    pdf = sandbox.client("s3").get_object(Bucket=bucket, Key=pdf_key(album.id))["Body"].read()
    assert pdf.startswith(b"%PDF-")
