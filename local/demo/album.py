"""AWS Batch: an album of the photos, made by an array job and bound to one PDF."""

from datetime import UTC, datetime
from uuid import uuid4

from local.console import step
from local.demo.catalogue import items, wait
from local.demo.photo import RESULTS
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.album_jobs import AlbumJobs, JobKind
from photos.albums import Album, pdf_key


def make_album(sandbox: Sandbox) -> None:
    """Make an album of two pages and keep its PDF. Raises SandboxError."""
    with step("AWS Batch: an array job makes the pages of an album, a job after it binds them") as proved:
        outputs, bucket = sandbox.outputs["Batch"], sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
        jobs = AlbumJobs(
            sandbox.client("batch"),
            sandbox.client("s3"),
            bucket,
            page=JobKind(outputs["JobQueue"], outputs["AlbumJobDefinition"]),
            bind=JobKind(outputs["BindJobQueue"], outputs["BindJobDefinition"]),
        )
        photos = tuple(item["key"] for item in items(sandbox))
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # One photo a page, and one that does not exist: it becomes a marked gap.
        album = Album(uuid4().hex, "The demo", now, (*photos, "never uploaded.jpg"), photos_per_page=1)
        last = jobs.submit(album)

        def ended() -> bool:
            (job,) = sandbox.client("batch").describe_jobs(jobs=[last])["jobs"]
            if job["status"] == "FAILED":
                raise SandboxError(f"The album failed: {job.get('statusReason')}")
            return bool(job["status"] == "SUCCEEDED")

        wait(sandbox, "the album is bound", ended)
        pdf = sandbox.client("s3").get_object(Bucket=bucket, Key=pdf_key(album.id))["Body"].read()
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "album.pdf").write_bytes(pdf)
        proved.append(
            f"album.pdf: {album.page_count} pages, {len(pdf) / 1024:.0f} KiB; a missing photo is a marked gap"
        )
