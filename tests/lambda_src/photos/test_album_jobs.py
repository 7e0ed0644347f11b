"""What is submitted for an album."""

from typing import Any

from photos.album_jobs import AlbumJobs, JobKind
from photos.albums import Album, manifest_key
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws


class RecordedBatch:
    """Stands for the client: gives ids, and keeps what it was asked, with whether the manifest was there."""

    def __init__(self, aws: MockedAws) -> None:
        self.submitted: list[dict[str, Any]] = []
        self._aws = aws

    def submit_job(self, **request: Any) -> dict[str, str]:
        assert manifest_key(request["parameters"]["album"]) in self._aws.thumbnails()
        self.submitted.append(request)
        return {"jobId": f"job-{len(self.submitted)}"}


def submitted(aws: MockedAws, photos: int) -> list[dict[str, Any]]:
    batch = RecordedBatch(aws)
    jobs = AlbumJobs(
        batch,  # type: ignore[arg-type]  # the one call that is made
        aws.s3,
        THUMBNAILS,
        page=JobKind("ec2", "page:1"),
        bind=JobKind("fargate", "bind:1"),
    )
    album = Album("a-1", "Holiday", "2026-11-24T10:00:00.000Z", tuple(f"{n}.jpg" for n in range(photos)))
    assert jobs.submit(album) == "job-2"
    return batch.submitted


def test_an_array_of_pages_then_the_binding(aws: MockedAws) -> None:
    pages, bind = submitted(aws, 25)
    assert (pages["jobQueue"], pages["jobDefinition"], pages["arrayProperties"]) == ("ec2", "page:1", {"size": 3})
    assert (bind["jobQueue"], bind["jobDefinition"], bind["dependsOn"]) == ("fargate", "bind:1", [{"jobId": "job-1"}])


def test_one_page_is_no_array(aws: MockedAws) -> None:
    pages, _ = submitted(aws, 12)
    assert "arrayProperties" not in pages
