"""AWS Batch: an album of the photos, ordered by the API, made by an array job and bound to one PDF."""

import json

from local.console import step
from local.demo.api import client, done
from local.demo.catalogue import wait_until
from local.demo.photo import RESULTS
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.albums import jobs_key


def order_album(sandbox: Sandbox) -> None:
    """Order an album of all photos, follow it, and keep its PDF. Raises SandboxError."""
    api = client(sandbox)
    with step(
        "API Gateway → Lambda → AWS Batch: an array job makes an album's pages, a job after it binds them"
    ) as proved:
        album = done(api.request("POST", "albums", {"title": "The demo"}), 202)
        seen: list[int] = []

        def ended() -> bool:
            nonlocal album
            album = done(api.request("GET", f"albums/{album['id']}"), 200)
            if album["pages_done"] not in seen:
                seen.append(album["pages_done"])
            if album["state"] == "failed":
                raise SandboxError(f"The album failed: {album['reason']}")
            return bool(album["state"] == "ready")

        wait_until(sandbox, "the album is ready", ended)
        children = _children(sandbox, album["id"])
        if album["page_count"] < 2 or children != album["page_count"]:
            raise SandboxError(f"{album['page_count']} pages were made by {children} children of an array job.")
        pdf = api.fetch(album["url"]).data
        if not pdf.startswith(b"%PDF-"):
            raise SandboxError(f"The album is no PDF: {pdf[:200]!r}")
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "album.pdf").write_bytes(pdf)
        proved.append(f"pages done, as the API told: {', '.join(map(str, seen))} of {album['page_count']}")
        proved.append(f"album.pdf by its link: {album['page_count']} pages, {len(pdf) / 1024:.0f} KiB")


def _children(sandbox: Sandbox, album_id: str) -> int:
    """How many children of the album's array job succeeded."""
    bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
    jobs = json.load(sandbox.client("s3").get_object(Bucket=bucket, Key=jobs_key(album_id))["Body"])
    (job,) = sandbox.client("batch").describe_jobs(jobs=[jobs["pages"]])["jobs"]
    return int(job.get("arrayProperties", {}).get("statusSummary", {}).get("SUCCEEDED", 0))
