"""The jobs of an album, and the outcome that follows from their status."""

from typing import Any

import pytest

from photos.album_jobs import AlbumJobs, AlbumState, JobTarget
from photos.albums import Album, manifest_key
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws, RecordedBatch

PAGES, BIND = "job-1", "job-2"


class ManifestFirst(RecordedBatch):
    """Asserts that a job's input exists when the job is submitted."""

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
    page, bind = JobTarget("ec2", "page:1"), JobTarget("fargate", "bind:1")
    return AlbumJobs(batch, aws.s3, THUMBNAILS, page=page, bind=bind)  # type: ignore[arg-type]  # a fake


def album(photos: int = 1) -> Album:
    return Album("a-1", "Holiday", "2026-11-24T10:00:00.000Z", tuple(f"{n}.jpg" for n in range(photos)))


def test_album_is_an_array_job_for_the_pages_and_a_dependent_job(jobs: AlbumJobs, batch: RecordedBatch) -> None:
    assert jobs.submit(album(25)) == BIND
    pages, bind = batch.submitted
    assert (pages["jobQueue"], pages["jobDefinition"], pages["arrayProperties"]) == ("ec2", "page:1", {"size": 3})
    assert (bind["jobQueue"], bind["jobDefinition"], bind["dependsOn"]) == ("fargate", "bind:1", [{"jobId": PAGES}])
    jobs.submit(album(12))
    assert "arrayProperties" not in batch.submitted[2], "AWS Batch allows no array of one job"


@pytest.mark.parametrize(
    ("pages", "bind", "state"),
    [
        ("RUNNABLE", "PENDING", AlbumState.RUNNING),
        ("SUCCEEDED", "RUNNING", AlbumState.RUNNING),
        (None, "RUNNING", AlbumState.RUNNING),
        ("SUCCEEDED", "SUCCEEDED", AlbumState.READY),
        (None, "SUCCEEDED", AlbumState.READY),
        ("FAILED", "PENDING", AlbumState.FAILED),
        ("FAILED", "FAILED", AlbumState.FAILED),
        ("SUCCEEDED", "FAILED", AlbumState.FAILED),
        (None, None, AlbumState.FAILED),
    ],
)
def test_outcome_follows_from_the_status_of_both_jobs(
    jobs: AlbumJobs, batch: RecordedBatch, pages: str | None, bind: str | None, state: AlbumState
) -> None:
    jobs.submit(album())
    batch.status = {job: status for job, status in ((PAGES, pages), (BIND, bind)) if status}
    outcome = jobs.outcome("a-1")
    assert outcome.state is state
    assert outcome.reason.endswith(".") == (state is AlbumState.FAILED)
