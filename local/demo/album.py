"""AWS Batch: an array job makes the pages of an album, and a second job merges them into one PDF."""

import json

from local.console import step
from local.demo.api import api_client, expect
from local.demo.catalogue import wait_until
from local.demo.photo import RESULTS
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.albums import jobs_key


def create_album(sandbox: Sandbox) -> None:
    """Create an album of all photos by the API, and save its PDF. Raises SandboxError."""
    api = api_client(sandbox)
    with step("API Gateway → Lambda → Batch: create an album with an array job") as findings:
        album = expect(api.request("POST", "albums", {"title": "The demo"}), 202)
        progress: list[int] = []

        def is_ready() -> bool:
            nonlocal album
            album = expect(api.request("GET", f"albums/{album['id']}"), 200)
            if album["pages_done"] not in progress:
                progress.append(album["pages_done"])
            if album["state"] == "failed":
                raise SandboxError(f"The album failed: {album['reason']}")
            return bool(album["state"] == "ready")

        wait_until(sandbox, "the album is ready", is_ready)
        pages, children = album["page_count"], _succeeded_children(sandbox, album["id"])
        if pages < 2 or children != pages:
            raise SandboxError(
                f"The array job has {children} children that succeeded, but the album has {pages} pages."
            )
        pdf = api.fetch(album["url"]).data
        if not pdf.startswith(b"%PDF-"):
            raise SandboxError(f"The album is not a PDF: {pdf[:200]!r}")
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "album.pdf").write_bytes(pdf)
        findings.append(f"pages done, as reported by the API: {', '.join(map(str, progress))} of {pages}")
        findings.append(f"album.pdf by its presigned URL: {pages} pages, {len(pdf) / 1024:.0f} KiB")


def _succeeded_children(sandbox: Sandbox, album_id: str) -> int:
    """Return how many children of the album's array job succeeded."""
    bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
    jobs = json.load(sandbox.client("s3").get_object(Bucket=bucket, Key=jobs_key(album_id))["Body"])
    (job,) = sandbox.client("batch").describe_jobs(jobs=[jobs["pages"]])["jobs"]
    return int(job.get("arrayProperties", {}).get("statusSummary", {}).get("SUCCEEDED", 0))
