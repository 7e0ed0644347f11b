"""An album of real photos: array job, then the job that binds, really run, with the rights of their roles."""

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from local.deployment import Deployment
from local.emulator import ROOT
from local.sandbox import Sandbox
from photos.album_jobs import AlbumJobs
from photos.albums import Album, page_key, pdf_key
from tests.e2e.album import album_jobs
from tests.e2e.eventually import eventually

PHOTOS = sorted((ROOT / "samples").glob("*.[jp][pn]g"))


@pytest.fixture(scope="module")
def photos(deployment: Deployment) -> Iterator[list[str]]:
    """The keys of the sample photos, uploaded and ready."""
    s3, outputs = deployment.client("s3"), deployment.outputs["Thumbnails"]
    keys = [f"Álbum {os.getpid()}/{photo.name}" for photo in PHOTOS]
    for key, photo in zip(keys, PHOTOS, strict=True):
        s3.put_object(Bucket=outputs["OriginalsBucket"], Key=key, Body=photo.read_bytes())
    eventually(
        lambda: (
            {item["key"] for item in deployment.table_items(outputs["CatalogueTable"]) if item["state"] == "ready"}
            >= set(keys)
        )
    )
    yield keys
    for key in keys:
        s3.delete_object(Bucket=outputs["OriginalsBucket"], Key=key)
    eventually(lambda: not {item["key"] for item in deployment.table_items(outputs["CatalogueTable"])} & set(keys))


@pytest.fixture(scope="module")
def jobs(deployment: Deployment) -> AlbumJobs:
    return album_jobs(deployment)


def _album(album_id: str, *photos: str) -> Album:
    return Album(album_id, "Ürlaub", "2026-11-24T10:00:00.000Z", photos)


def _finished(deployment: Deployment, job_id: str) -> dict[str, Any]:
    batch = deployment.client("batch")

    def job() -> dict[str, Any]:
        (found,) = batch.describe_jobs(jobs=[job_id])["jobs"]
        return found  # type: ignore[no-any-return]

    eventually(lambda: job()["status"] in ("SUCCEEDED", "FAILED"))
    return job()


def _read(deployment: Deployment, key: str) -> bytes:
    bucket = deployment.outputs["Thumbnails"]["ThumbnailsBucket"]
    body: bytes = deployment.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def _log(deployment: Deployment, job: dict[str, Any]) -> list[str]:
    group = job["container"]["logConfiguration"]["options"]["awslogs-group"]
    events = deployment.client("logs").get_log_events(
        logGroupName=group, logStreamName=job["container"]["logStreamName"], startFromHead=True
    )["events"]
    return [event["message"] for event in events]


def _process_of(job_id: str) -> int | None:
    """The process that runs a job, found by its environment."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"AWS_BATCH_JOB_ID={job_id}".encode() in environment.read_bytes().split(b"\0"):
                return int(environment.parent.name)
        except OSError:  # it ended, or is someone else's
            continue
    return None


def test_array_job_makes_pages_that_are_bound(deployment: Deployment, photos: list[str], jobs: AlbumJobs) -> None:
    album = _album("many", *photos * 7, "never uploaded.jpg")
    bound = _finished(deployment, jobs.submit(album))
    assert bound["status"] == "SUCCEEDED", bound
    (pages,) = deployment.client("batch").describe_jobs(jobs=[bound["dependsOn"][0]["jobId"]])["jobs"]
    assert pages["arrayProperties"]["statusSummary"]["SUCCEEDED"] == album.page_count == 3
    pdf = PdfReader(io.BytesIO(_read(deployment, pdf_key(album.id))), strict=True)
    assert len(pdf.pages) == 3
    (last,) = deployment.client("batch").describe_jobs(jobs=[f"{pages['jobId']}:2"])["jobs"]
    eventually(lambda: _log(deployment, last))
    assert _log(deployment, last) == ["Album many, page 3 of 3: 4 photos, 1 gaps"]


def test_album_with_one_page(deployment: Deployment, photos: list[str], jobs: AlbumJobs) -> None:
    assert _finished(deployment, jobs.submit(_album("one", *photos)))["status"] == "SUCCEEDED"
    assert len(PdfReader(io.BytesIO(_read(deployment, pdf_key("one"))), strict=True).pages) == 1


def test_child_job_is_retried_when_its_instance_is_reclaimed(
    sandbox: Sandbox, photos: list[str], jobs: AlbumJobs
) -> None:
    batch = sandbox.client("batch")
    bound = jobs.submit(_album("killed", *photos * 6))
    (pages,) = [entry["jobId"] for entry in batch.describe_jobs(jobs=[bound])["jobs"][0]["dependsOn"]]
    child = f"{pages}:1"
    eventually(lambda: _process_of(child) is not None)
    victim = _process_of(child)
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    assert _finished(sandbox, bound)["status"] == "SUCCEEDED"
    (ended,) = batch.describe_jobs(jobs=[child])["jobs"]
    first, second = ended["attempts"]
    assert first["statusReason"].startswith("Host EC2 (instance i-") and second["container"]["exitCode"] == 0
    made = _read(sandbox, page_key("killed", 1))
    _finished(sandbox, jobs.submit(_album("killed", *photos * 6)))
    assert _read(sandbox, page_key("killed", 1)) == made


def test_job_that_exits_with_an_error_is_not_retried(deployment: Deployment, jobs: AlbumJobs) -> None:
    outputs = deployment.outputs["Batch"]
    submitted = deployment.client("batch").submit_job(
        jobName="nothing",
        jobQueue=outputs["JobQueue"],
        jobDefinition=outputs["AlbumJobDefinition"],
        parameters={"album": "never-asked-for"},
    )
    failed = _finished(deployment, submitted["jobId"])
    assert (failed["status"], len(failed["attempts"]), failed["container"]["exitCode"]) == ("FAILED", 1, 1)
    (line,) = eventually(lambda: _log(deployment, failed))
    assert line.startswith("Album never-asked-for: albums/never-asked-for/manifest.json is not in the bucket")
