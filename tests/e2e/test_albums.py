"""Albums of the sample photos, made by an array job and a bind job with the permissions of their roles."""

import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
from pypdf import PdfReader

from local.deployment import Deployment
from photos.album_jobs import AlbumJobs
from photos.albums import Album, pdf_key
from tests.e2e.album import album_jobs, describe_job, finished_job
from tests.e2e.eventually import eventually
from tests.e2e.photos import SAMPLE_PHOTOS, delete_originals, final_item, put_original, read_object


@pytest.fixture(scope="module")
def photos(deployment: Deployment) -> Iterator[list[str]]:
    """The keys of the sample photos, which are ready."""
    keys = [f"Álbum {os.getpid()}/{photo.name}" for photo in SAMPLE_PHOTOS]
    for key, photo in zip(keys, SAMPLE_PHOTOS, strict=True):
        put_original(deployment, key, photo.read_bytes())
    assert {final_item(deployment, key)["state"] for key in keys} == {"ready"}
    yield keys
    delete_originals(deployment, *keys)


@pytest.fixture(scope="module")
def jobs(deployment: Deployment) -> AlbumJobs:
    return album_jobs(deployment)


def _album(album_id: str, *photos: str) -> Album:
    return Album(album_id, "Ürlaub", "2026-11-24T10:00:00.000Z", photos)


def _pages(deployment: Deployment, album_id: str) -> int:
    """Return the number of pages of a bound album."""
    return len(PdfReader(io.BytesIO(read_object(deployment, pdf_key(album_id))), strict=True).pages)


def _log(deployment: Deployment, job: dict[str, Any]) -> list[str]:
    """Wait for the log of a job, and return its lines."""
    stream = {
        "logGroupName": job["container"]["logConfiguration"]["options"]["awslogs-group"],
        "logStreamName": job["container"]["logStreamName"],
    }
    logs = deployment.client("logs")
    events = eventually(lambda: logs.get_log_events(**stream, startFromHead=True)["events"])
    return [event["message"] for event in events]


def test_array_job_makes_pages_that_are_bound(deployment: Deployment, photos: list[str], jobs: AlbumJobs) -> None:
    album = _album("many", *photos * 7, "never uploaded.jpg")
    bound = finished_job(deployment, jobs.submit(album))
    assert bound["status"] == "SUCCEEDED", bound
    pages = describe_job(deployment, bound["dependsOn"][0]["jobId"])
    assert pages["arrayProperties"]["statusSummary"]["SUCCEEDED"] == album.page_count == 3
    assert _pages(deployment, album.id) == 3
    last = describe_job(deployment, f"{pages['jobId']}:2")
    assert _log(deployment, last) == ["Album many, page 3 of 3: 4 photos, 1 missing"]


def test_job_that_exits_with_an_error_is_not_retried(deployment: Deployment) -> None:
    outputs = deployment.outputs["Batch"]
    submitted = deployment.client("batch").submit_job(
        jobName="nothing",
        jobQueue=outputs["JobQueue"],
        jobDefinition=outputs["AlbumJobDefinition"],
        parameters={"album": "never-asked-for"},
    )
    failed = finished_job(deployment, submitted["jobId"])
    assert (failed["status"], len(failed["attempts"]), failed["container"]["exitCode"]) == ("FAILED", 1, 1)
    (line,) = _log(deployment, failed)
    assert "albums/never-asked-for/manifest.json" in line
