"""The album job killed before and after each call it makes, as processes, and run again: the same album in the end."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator import ROOT
from local.sandbox import Sandbox
from photos.album_jobs import AlbumJobs, JobTarget
from photos.albums import Album, manifest_key, page_key, pdf_key
from tests.e2e.eventually import eventually
from tests.e2e.photos import uploaded_photo

KEY = "killed album/photo.jpg"

# Before and after: the manifest, the item of its photo, the thumbnail, and the page; or manifest, pages, and PDF.
PAGE_MOMENTS = BIND_MOMENTS = 8

# In front of the program: the first attempt dies at the moment that its place in the array or KILL_AT says.
_DYING = """
import json, os, runpy, sys
moment = int(os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", os.environ.get("KILL_AT", "0")))
first = os.environ["AWS_BATCH_JOB_ATTEMPT"] == "1"
os.environ["FAULTS"] = json.dumps({"kill_at": moment} if first else {})
sys.argv = ["fault_injection", "album", *sys.argv[1:]]
runpy.run_module("fault_injection", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def photo(sandbox: Sandbox) -> Iterator[None]:
    """A photo that is ready."""
    table = sandbox.outputs["Thumbnails"]["CatalogueTable"]
    with uploaded_photo(sandbox, KEY):
        eventually(lambda: any((it["key"], it["state"]) == (KEY, "ready") for it in sandbox.table_items(table)))
        yield


def _album(album_id: str, pages: int) -> Album:
    return Album(album_id, "Killed", "2026-11-24T10:00:00.000Z", (KEY,) * pages, photos_per_page=1)


def _write(sandbox: Sandbox, key: str, body: bytes) -> None:
    sandbox.client("s3").put_object(Bucket=sandbox.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key, Body=body)


def _read(sandbox: Sandbox, key: str) -> bytes | None:
    s3 = sandbox.client("s3")
    try:
        answer = s3.get_object(Bucket=sandbox.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
    except s3.exceptions.NoSuchKey:
        return None
    body: bytes = answer["Body"].read()
    return body


def _whole_album(sandbox: Sandbox, pages: int) -> Album:
    """One that nobody disturbed."""
    outputs, bucket = sandbox.outputs["Batch"], sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
    jobs = AlbumJobs(
        sandbox.client("batch"),
        sandbox.client("s3"),
        bucket,
        page=JobTarget(outputs["JobQueue"], outputs["AlbumJobDefinition"]),
        bind=JobTarget(outputs["BindJobQueue"], outputs["BindJobDefinition"]),
    )
    album = _album(f"undisturbed-{pages}", pages)
    _ended(sandbox, jobs.submit(album))
    return album


def _submit(sandbox: Sandbox, kind: str, album: Album, *, kill_at: int | None, **more: Any) -> str:
    """A job of this album, killed if there is a moment for it. Returns its id."""
    page = kind == "page"
    outputs = sandbox.outputs["Batch"]
    overrides: dict[str, Any] = {}
    if kill_at is not None:
        overrides["command"] = ["python", "-c", _DYING, kind, album.id]
        environment = {"PYTHONPATH": str(ROOT / "tests" / "soak" / "pythonpath"), "KILL_AT": str(kill_at)}
        overrides["environment"] = [{"name": name, "value": value} for name, value in environment.items()]
    job_id: str = sandbox.client("batch").submit_job(
        jobName=f"killed-{kind}",
        jobQueue=outputs["JobQueue" if page else "BindJobQueue"],
        jobDefinition=outputs["AlbumJobDefinition" if page else "BindJobDefinition"],
        parameters={"album": album.id},
        containerOverrides=overrides,
        **more,
    )["jobId"]
    return job_id


def _ended(sandbox: Sandbox, *job_ids: str) -> list[dict[str, Any]]:
    """The jobs, when all of them have ended."""
    batch = sandbox.client("batch")
    while True:
        jobs: list[dict[str, Any]] = batch.describe_jobs(jobs=list(job_ids))["jobs"]
        if all(job["status"] in ("SUCCEEDED", "FAILED") for job in jobs):
            return jobs
        time.sleep(0.2)


@pytest.mark.guarantee("Loses no photo")
def test_each_child_killed_at_another_moment_makes_its_page_all_the_same(sandbox: Sandbox, photo: None) -> None:
    whole = _whole_album(sandbox, PAGE_MOMENTS)
    album = _album("killed-pages", PAGE_MOMENTS)
    _write(sandbox, manifest_key(album.id), album.to_json())
    array = _submit(sandbox, "page", album, kill_at=0, arrayProperties={"size": PAGE_MOMENTS})
    (job,) = _ended(sandbox, array)
    assert job["status"] == "SUCCEEDED", job
    for child in _ended(sandbox, *(f"{array}:{index}" for index in range(PAGE_MOMENTS))):
        first, second = child["attempts"]
        assert first["statusReason"].startswith("Host EC2"), child
        assert second["container"]["exitCode"] == 0
    for index in range(PAGE_MOMENTS):
        made = _read(sandbox, page_key(album.id, index))
        assert made is not None and made == _read(sandbox, page_key(whole.id, index))


@pytest.mark.guarantee("Loses no photo")
def test_the_binder_killed_at_each_moment_binds_the_same_when_it_runs_again(sandbox: Sandbox, photo: None) -> None:
    whole = _whole_album(sandbox, 2)
    pdf, pages = _read(sandbox, pdf_key(whole.id)), [_read(sandbox, page_key(whole.id, index)) for index in range(2)]
    assert pdf is not None
    albums = [_album(f"killed-binder-{moment}", 2) for moment in range(BIND_MOMENTS)]
    for album in albums:
        _write(sandbox, manifest_key(album.id), album.to_json())
        for index, page in enumerate(pages):
            assert page is not None
            _write(sandbox, page_key(album.id, index), page)
    killed = [_submit(sandbox, "bind", album, kill_at=moment) for moment, album in enumerate(albums)]
    for job in _ended(sandbox, *killed):
        assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 137), job
    # All of a PDF or nothing, but never half of one.
    assert [_read(sandbox, pdf_key(album.id)) for album in albums] == [None] * (BIND_MOMENTS - 1) + [pdf]
    again = _ended(sandbox, *(_submit(sandbox, "bind", album, kill_at=None) for album in albums))
    assert {job["status"] for job in again} == {"SUCCEEDED"}
    assert [_read(sandbox, pdf_key(album.id)) for album in albums] == [pdf] * BIND_MOMENTS
