"""`make remake` with a simulated AWS Batch. `tests/e2e/test_remake.py` runs real jobs."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import boto3
import pytest
from moto import mock_aws

import photos.remake
from operations import remake
from operations.errors import OperationError
from photos.remake import Manifest, manifest_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEFINITION = "arn:aws:batch:us-east-1:123456789012:job-definition/other-compute-Batch-remake"


class Deployment(boto3.Session):
    """Buckets in moto. Batch and CloudWatch Logs are simulated here.

    Attributes:
        jobs: All jobs by id, and their children as `<id>:<index>`.
        on_wait: Called instead of each wait between two queries.
        submitted_before: Jobs that another command submits just before this one does.
    """

    def __init__(self) -> None:
        super().__init__(region_name="us-east-1")
        self.s3: S3Client = super().client("s3")
        for bucket in ("originals", "thumbnails"):
            self.s3.create_bucket(Bucket=bucket)
        self.stacks = {
            "Thumbnails": {"OriginalsBucket": "originals", "ThumbnailsBucket": "thumbnails"},
            "Batch": {"JobQueue": "queue", "RemakeJobDefinition": f"{DEFINITION}:7"},
        }
        self.jobs: dict[str, dict[str, Any]] = {}
        self.on_wait: Callable[[], None] = self.succeed
        self.submitted_before: list[str] = []
        self.logs: dict[str, list[str]] = {}
        self.exceptions = super().client("logs").exceptions

    def client(self, service: str, **_: Any) -> Any:  # type: ignore[override]  # only what is used
        return self.s3 if service == "s3" else self

    def put_photos(self, count: int) -> None:
        for number in range(count):
            self.s3.put_object(Bucket="originals", Key=f"{number:04}", Body=b"-")

    def add_job(self, job_id: str, *, size: int = 0, created_at: int = 0, definition: str = f"{DEFINITION}:7") -> None:
        job: dict[str, Any] = {
            "jobId": job_id,
            "jobDefinition": definition,
            "status": "SUBMITTED",
            "createdAt": created_at or 1_000 + len(self.jobs),
            "parameters": {"manifest": manifest_key(job_id)},
        }
        self.jobs[job_id] = job | ({"arrayProperties": {"size": size}} if size else {})
        for index in range(size):
            self.jobs[f"{job_id}:{index}"] = {
                "jobId": f"{job_id}:{index}",
                "status": "PENDING",
                "arrayProperties": {"index": index},
            }

    def children(self, job_id: str) -> list[dict[str, Any]]:
        return [job for key, job in self.jobs.items() if key.startswith(f"{job_id}:")]

    def submit_job(self, **request: Any) -> dict[str, str]:
        for job_id in self.submitted_before:
            self.add_job(job_id, size=2)
        self.submitted = request
        self.add_job("own", size=request.get("arrayProperties", {}).get("size", 0))
        self.jobs["own"]["parameters"] = request["parameters"]
        return {"jobId": "own"}

    def describe_jobs(self, *, jobs: list[str]) -> dict[str, Any]:
        assert 1 <= len(jobs) <= 100
        found = [self.jobs[job_id] for job_id in reversed(jobs)]  # in any order
        for job in found:
            if "size" in job.get("arrayProperties", {}):
                statuses = Counter(child["status"] for child in self.children(job["jobId"]))
                job["arrayProperties"]["statusSummary"] = {"RUNNING": 0, **statuses}
        return {"jobs": found}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_jobs"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        match request:
            case {"arrayJobId": job_id, "jobStatus": status, **rest} if not rest:
                found = [job for job in self.children(job_id) if job["status"] == status]
            case {"jobQueue": "queue", "filters": [{"name": "JOB_DEFINITION", "values": [name]}], **rest} if not rest:
                found = [job for key, job in self.jobs.items() if ":" not in key]
                found = [job for job in found if job["jobDefinition"].split("/")[1].split(":")[0] == name]
            case _:
                raise AssertionError(request)
        for job in found:
            yield {"jobSummaryList": [job]}

    def terminate_job(self, *, jobId: str, reason: str) -> None:
        self.end(jobId, "FAILED", reason)

    def end(self, job_id: str, status: str, reason: str = "") -> None:
        for job in (self.jobs[job_id], *self.children(job_id)):
            job |= {"status": status, "statusReason": reason, "stoppedAt": job.get("createdAt", 0) + 90_000}

    def succeed(self) -> None:
        for job_id, job in self.jobs.items():
            if ":" not in job_id and job["status"] != "FAILED":
                self.end(job_id, "SUCCEEDED")

    def get_log_events(self, *, logGroupName: str, logStreamName: str, limit: int) -> dict[str, Any]:
        assert (logGroupName, limit) == ("jobs", 1)
        if logStreamName not in self.logs:
            error: Any = {"Error": {"Code": "ResourceNotFoundException"}}
            raise self.exceptions.ResourceNotFoundException(error, "GetLogEvents")
        return {"events": [{"message": line} for line in self.logs[logStreamName][-limit:]]}

    def manifests(self) -> list[str]:
        return [it["Key"] for it in self.s3.list_objects_v2(Bucket="thumbnails", Prefix="remakes/").get("Contents", [])]

    def put_manifest(self, remake_id: str) -> str:
        self.s3.put_object(Bucket="thumbnails", Key=manifest_key(remake_id), Body=b"-")
        return manifest_key(remake_id)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr(remake, "stack_outputs", lambda session, _name, stack: session.stacks[stack])
    monkeypatch.setattr(photos.remake, "PHOTOS_PER_SLICE", 2)
    with mock_aws():
        deployment = Deployment()
        monkeypatch.setattr(remake, "time", Mock(sleep=lambda _seconds: deployment.on_wait()))
        yield deployment


def test_remake_submits_one_child_for_each_slice(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.put_photos(7)

    def check_and_succeed() -> None:
        (key,) = deployment.manifests()
        assert deployment.submitted["parameters"] == {"manifest": key}
        content = deployment.s3.get_object(Bucket="thumbnails", Key=key)["Body"].read()
        assert Manifest.from_json(content) == Manifest(("", "0001", "0003"), photos=7)
        deployment.succeed()

    deployment.on_wait = check_and_succeed
    remake.remake(deployment, "other-compute")
    assert deployment.submitted["arrayProperties"] == {"size": 3}
    assert (deployment.submitted["jobQueue"], deployment.submitted["jobDefinition"]) == ("queue", f"{DEFINITION}:7")
    assert deployment.manifests() == []
    printed = capsys.readouterr().out
    assert "Photos: 7. Child jobs: 3" in printed
    assert "Child jobs: 3 pending\nChild jobs: 3 succeeded\n" in printed


def test_few_photos_are_remade_by_a_plain_job(deployment: Deployment) -> None:
    deployment.put_photos(3)
    remake.remake(deployment, "other-compute")
    assert "arrayProperties" not in deployment.submitted


def test_nothing_is_submitted_without_photos(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    remake.remake(deployment, "other-compute")
    assert deployment.jobs == {}
    assert capsys.readouterr().out == "There are no photos.\n"


def test_second_remake_shows_the_progress_of_the_first(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.put_photos(7)
    deployment.add_job("finished")
    deployment.succeed()
    deployment.add_job("album", definition=f"{DEFINITION.replace('remake', 'page')}:7")
    deployment.add_job("running", size=2, definition=f"{DEFINITION}:6")
    key = deployment.put_manifest("running")
    remake.remake(deployment, "other-compute")
    assert not hasattr(deployment, "submitted")
    assert deployment.manifests() == [], f"{key} is deleted"
    assert "Job running\nChild jobs: 2 pending\nChild jobs: 2 succeeded\n" in capsys.readouterr().out


def test_later_of_two_remakes_terminates_itself(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.put_photos(7)
    deployment.submitted_before = ["first"]
    other = deployment.put_manifest("first")

    def check_and_succeed() -> None:
        assert deployment.manifests() == [other]
        deployment.succeed()

    deployment.on_wait = check_and_succeed
    remake.remake(deployment, "other-compute")
    assert (deployment.jobs["own"]["status"], deployment.jobs["first"]["status"]) == ("FAILED", "SUCCEEDED")
    assert "Job first\n" in capsys.readouterr().out


def test_earlier_of_two_remakes_continues(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.put_photos(7)
    submit_job = deployment.submit_job

    def submit_and_race(**request: Any) -> dict[str, str]:
        submitted = submit_job(**request)
        deployment.add_job("later", size=2)
        return submitted

    monkeypatch.setattr(deployment, "submit_job", submit_and_race)
    remake.remake(deployment, "other-compute")
    assert deployment.jobs["own"]["status"] == "SUCCEEDED"


def test_failed_children_are_listed_with_their_reason_and_log(deployment: Deployment) -> None:
    deployment.put_photos(250)

    def fail() -> None:
        deployment.end("own", "FAILED", "Array Child Job failed")
        children = deployment.children("own")
        deployment.end("own:0", "SUCCEEDED")
        for child in children[1:]:
            child["statusReason"] = "Host EC2 (instance i-1) terminated."
            child["container"] = {"logConfiguration": {"options": {"awslogs-group": "jobs"}}}
        children[1]["container"] |= {"exitCode": 1, "logStreamName": "remake/1"}
        children[1]["statusReason"] = "Essential container in task exited"
        children[2]["container"] |= {"logStreamName": "remake/2"}
        children[3]["container"]["reason"] = "CannotPullContainerError: not found"
        deployment.logs["remake/1"] = ["Traceback", "Slice 2 of 125: 2 photos (1 failed, 1 ready)\n"]

    deployment.on_wait = fail
    with pytest.raises(OperationError) as error:
        remake.remake(deployment, "annas")
    *lines, last = str(error.value).splitlines()
    assert lines[:3] == [
        "Child job 1: Essential container in task exited; exit status 1; Slice 2 of 125: 2 photos (1 failed, 1 ready). "
        "Log group jobs, stream remake/1",
        "Child job 2: Host EC2 (instance i-1) terminated. Log group jobs, stream remake/2",
        "Child job 3: Host EC2 (instance i-1) terminated; CannotPullContainerError: not found. "
        "It has no log, because it did not start.",
    ]
    assert [line.split(":")[0] for line in lines] == [f"Child job {index}" for index in range(1, 125)]
    assert "run `make remake name=annas` again" in last
    assert len(deployment.manifests()) == 1


def test_plain_job_that_fails_is_reported(deployment: Deployment) -> None:
    deployment.put_photos(1)
    deployment.on_wait = lambda: deployment.end("own", "FAILED", "Canceled")
    with pytest.raises(OperationError, match=r"Child job 0: Canceled. It has no log"):
        remake.remake(deployment, "other-compute")


@pytest.mark.parametrize(
    ("age", "remain"), [(timedelta(minutes=59), True), (timedelta(minutes=61), False)], ids=["recent", "abandoned"]
)
def test_manifests_that_no_remake_uses_are_deleted(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, age: timedelta, remain: bool
) -> None:
    deployment.put_photos(1)
    old = deployment.put_manifest("old")

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + age

    monkeypatch.setattr(remake, "datetime", Clock)
    remake.remake(deployment, "other-compute")
    assert deployment.manifests() == [old] * remain


def test_ctrl_c_leaves_the_job_running(deployment: Deployment) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    deployment.put_photos(7)
    deployment.on_wait = interrupt
    with pytest.raises(OperationError) as error:
        remake.remake(deployment, "annas")
    assert "run `make remake name=annas` again" in str(error.value)
    assert "aws batch terminate-job --reason ended --job-id own" in str(error.value)
    assert deployment.jobs["own"]["status"] == "SUBMITTED"
    assert len(deployment.manifests()) == 1


def test_deployment_of_an_older_version_is_named(deployment: Deployment) -> None:
    del deployment.stacks["Batch"]["RemakeJobDefinition"]
    with pytest.raises(OperationError, match=r"Run `make deploy name=annas`, then `make remake name=annas`"):
        remake.remake(deployment, "annas")
