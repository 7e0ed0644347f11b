"""What is submitted for an album, and what is told of it."""

from typing import Any

import pytest

from photos.album_jobs import AlbumJobs, AlbumState, JobTarget
from photos.albums import Album, manifest_key
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws, RecordedBatch

PAGES, BIND = "job-1", "job-2"


class ManifestFirst(RecordedBatch):
    """Takes a job only when what it works from is there."""

    def __init__(self, aws: MockedAws) -> None:
        super().__init__()
        self._aws = aws

    def submit_job(self, **request: Any) -> dict[str, str]:
        assert manifest_key(request["parameters"]["album"]) in self._aws.thumbnails()
        return super().submit_job(**request)


@pytest.fixture
def batch(aws: MockedAws) -> RecordedBatch:
    return ManifestFirst(aws)


@pytest.fixture
def jobs(aws: MockedAws, batch: RecordedBatch) -> AlbumJobs:
    return AlbumJobs(
        batch,  # type: ignore[arg-type]  # the two calls that are made
        aws.s3,
        THUMBNAILS,
        page=JobTarget("ec2", "page:1"),
        bind=JobTarget("fargate", "bind:1"),
    )


def album(photos: int = 1) -> Album:
    return Album("a-1", "Holiday", "2026-11-24T10:00:00.000Z", tuple(f"{n}.jpg" for n in range(photos)))


def test_an_array_of_pages_then_the_binding(jobs: AlbumJobs, batch: RecordedBatch) -> None:
    assert jobs.submit(album(25)) == BIND
    pages, bind = batch.submitted
    assert (pages["jobQueue"], pages["jobDefinition"], pages["arrayProperties"]) == ("ec2", "page:1", {"size": 3})
    assert (bind["jobQueue"], bind["jobDefinition"], bind["dependsOn"]) == ("fargate", "bind:1", [{"jobId": PAGES}])


def test_one_page_is_no_array(jobs: AlbumJobs, batch: RecordedBatch) -> None:
    jobs.submit(album(12))
    assert "arrayProperties" not in batch.submitted[0]


@pytest.mark.parametrize(
    ("pages", "bind", "state", "reason"),
    [
        ("RUNNABLE", "PENDING", AlbumState.RUNNING, ""),
        ("SUCCEEDED", "RUNNING", AlbumState.RUNNING, ""),
        (None, "RUNNING", AlbumState.RUNNING, ""),
        ("SUCCEEDED", "SUCCEEDED", AlbumState.READY, ""),
        (None, "SUCCEEDED", AlbumState.READY, ""),
        ("FAILED", "PENDING", AlbumState.FAILED, "Its pages could not be made."),
        ("FAILED", "FAILED", AlbumState.FAILED, "Its pages could not be made."),
        ("SUCCEEDED", "FAILED", AlbumState.FAILED, "Its pages could not be bound."),
        (None, None, AlbumState.FAILED, "It was not finished, and it is no longer known why."),
    ],
)
def test_what_the_jobs_say_of_the_album(
    jobs: AlbumJobs, batch: RecordedBatch, pages: str | None, bind: str | None, state: AlbumState, reason: str
) -> None:
    jobs.submit(album())
    batch.status = {job: status for job, status in ((PAGES, pages), (BIND, bind)) if status}
    assert jobs.outcome("a-1") == (state, reason)
