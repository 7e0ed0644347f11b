"""`make remake` in the deployed sandbox, with real array jobs."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from local.emulator import ROOT
from local.sandbox import Sandbox
from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.keys import photo_id, thumbnail_key
from photos.limits import SIZES
from photos.remake import PHOTOS_PER_SLICE, PREFIX
from photos.storage import Thumbnails
from tests.e2e.album import describe_job, finished_job
from tests.e2e.conftest import delete_photos
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import revoked_permission, set_uploads_enabled
from tests.e2e.operate import operation, run_operation
from tests.e2e.photos import catalogue, put_original, read_object, thumbnails
from tests.lambda_src.mocked_aws import jpeg
from tests.processes import running_processes

OLD_SIZES = (128, 512)
PHOTO = jpeg(size=(60, 40))


@pytest.fixture
def no_uploads(sandbox: Sandbox) -> Iterator[None]:
    """No events are processed during the test. Afterwards, everything in the buckets and the catalogue is deleted."""
    set_uploads_enabled(sandbox, False)
    yield
    delete_photos(sandbox)
    sandbox.client("sqs").purge_queue(QueueUrl=sandbox.outputs["Thumbnails"]["UploadQueueUrl"])
    set_uploads_enabled(sandbox, True)


def put_photos_of_an_older_version(sandbox: Sandbox, count: int) -> list[str]:
    """Put photos with thumbnails of the old sizes. Every hundredth has no item. Returns their object keys."""
    outputs = sandbox.outputs["Thumbnails"]
    stored = Thumbnails(sandbox.client("s3"), outputs["ThumbnailsBucket"])
    items = Catalogue(sandbox.client("dynamodb"), outputs["CatalogueTable"])

    def put(number: int) -> str:
        key = f"remake/ü {number:04}.jpg"
        put_original(sandbox, key, PHOTO)
        if number % 100 != 99:
            head = sandbox.client("s3").head_object(Bucket=outputs["OriginalsBucket"], Key=key)
            upload = Upload(head["ETag"].strip('"'), f"00AB{number:04X}")
            old = {size: thumbnail_key(key, upload, size) for size in OLD_SIZES}
            for thumbnail in old.values():
                stored.write(thumbnail, b"old")
            items.set_ready(key, upload, uploaded_at=datetime.now(UTC), thumbnails=old)
        return key

    for service in ("s3", "dynamodb"):
        sandbox.client(service)
    with ThreadPoolExecutor(4) as workers:
        return list(workers.map(put, range(count)))


def start_remake(sandbox: Sandbox) -> subprocess.Popen[str]:
    """Start the command of `make remake`."""
    return subprocess.Popen(
        operation(sandbox, "remake", program=("-u", "-m", "operations")),
        cwd=ROOT,
        env=sandbox.cdk.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def remakes(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the jobs of all remakes, in the order of their submission."""
    outputs = sandbox.outputs["Batch"]
    name = outputs["RemakeJobDefinition"].rpartition("/")[2].partition(":")[0]
    listed = sandbox.client("batch").list_jobs(
        jobQueue=outputs["JobQueue"], filters=[{"name": "JOB_DEFINITION", "values": [name]}]
    )["jobSummaryList"]
    return [describe_job(sandbox, job["jobId"]) for job in sorted(listed, key=lambda job: job["createdAt"])]


def children(job: dict[str, Any]) -> list[int]:
    """Return the ids of the processes of a remake."""
    end = f" thumbnailer.remake {job['parameters']['manifest']}"
    return [process.id for process in running_processes() if process.command.endswith(end)]


def sizes(sandbox: Sandbox, keys: list[str]) -> dict[str, set[int]]:
    """Return the thumbnail sizes of each photo that has an item."""
    items = catalogue(sandbox)
    return {key: {int(size) for size in items[key].get("thumbnails", {})} for key in keys if key in items}


@pytest.mark.guarantee("Loses no photo")
def test_remake_that_is_killed_and_started_again_replaces_all_sizes(
    sandbox: Sandbox, no_uploads: None, inbox: str
) -> None:
    manifests = set(thumbnails(sandbox, PREFIX))  # of other tests
    keys = put_photos_of_an_older_version(sandbox, 2 * PHOTOS_PER_SLICE)
    put_original(sandbox, "remake/rejected", b"no photo")
    first = start_remake(sandbox)
    job = eventually(lambda: [it for it in remakes(sandbox) if it["status"] not in ("SUCCEEDED", "FAILED")])[0]
    eventually(lambda: len(children(job)) == 2)
    eventually(lambda: set(SIZES) in sizes(sandbox, keys).values())
    for process in children(job):
        os.kill(process, signal.SIGSTOP)  # so that the job cannot end before it is killed

    second = start_remake(sandbox)
    assert second.stdout and "A remake is running since" in second.stdout.readline()
    assert job["jobId"] in second.stdout.readline()
    assert second.stdout.readline() == "Child jobs: 2 running\n"
    second.send_signal(signal.SIGINT)
    _, errors = second.communicate(timeout=300)
    assert second.returncode == 1
    assert "run `make remake` again" in errors

    first.kill()
    first.communicate()
    stopped = children(job)
    for process in stopped:
        os.kill(process, signal.SIGKILL)  # like a Spot interruption, after which Batch starts another attempt
    eventually(lambda: len(set(children(job)) - {*stopped}) == 2)
    sandbox.client("batch").terminate_job(jobId=job["jobId"], reason="test")
    assert finished_job(sandbox, job["jobId"])["status"] == "FAILED"
    assert {frozenset(it) for it in sizes(sandbox, keys).values()} == {frozenset(OLD_SIZES), frozenset(SIZES)}

    run = run_operation(sandbox, "remake")
    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert "Child jobs: 2 succeeded\n" in run.stdout
    items = catalogue(sandbox)
    assert {key: items[key]["state"] for key in (*keys, "remake/rejected")} == {
        **dict.fromkeys(keys, "ready"),
        "remake/rejected": "rejected",
    }
    assert set(map(frozenset, sizes(sandbox, keys).values())) == {frozenset(SIZES)}
    ids = {photo_id(key) for key in keys}
    stored = {thumbnail for thumbnail in thumbnails(sandbox) if thumbnail.partition("/")[0] in ids}
    assert stored == {thumbnail for key in keys for thumbnail in items[key]["thumbnails"].values()}
    assert {read_object(sandbox, thumbnail)[8:12] for thumbnail in sorted(stored)[:4]} == {b"WEBP"}
    alerts = sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=10, MaxNumberOfMessages=10)
    (alert,) = alerts["Messages"]  # one for the job, none for its children
    assert f"The job {job['jobName']} failed" in alert["Body"]
    # The manifest of the remake that was killed remains until a later remake.
    assert set(thumbnails(sandbox, PREFIX)) - manifests == {job["parameters"]["manifest"]}


@pytest.mark.guarantee("Reports every failure")
def test_remake_reports_why_it_failed(sandbox: Sandbox, no_uploads: None) -> None:
    put_original(sandbox, "remake/photo.jpg", PHOTO)
    with revoked_permission(sandbox, "Batch", "s3:PutObject", role="RemakeRole"):
        run = run_operation(sandbox, "remake")
    line, advice = run.stderr.splitlines()
    assert (run.returncode, "run `make remake` again" in advice) == (1, True)
    assert "exit status 1; Slice 1 of 1: 1 photos (1 failed). Log group " in line
    job = remakes(sandbox)[-1]
    assert len(job["attempts"]) == 3
    group, stream = line.partition("Log group ")[2].split(", stream ")
    events = sandbox.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert events[0]["message"].startswith("Photo 'remake/photo.jpg' failed: "), events
    assert "AccessDenied" in events[0]["message"]
    assert run_operation(sandbox, "remake").returncode == 0
    assert catalogue(sandbox)["remake/photo.jpg"]["state"] == "ready"
