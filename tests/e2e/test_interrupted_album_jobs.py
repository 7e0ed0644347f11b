"""Album jobs that are killed before and after each of their AWS calls, and then run again."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.emulator import ROOT
from local.sandbox import Sandbox
from photos.albums import Album, manifest_key, page_key, pdf_key
from tests.e2e.album import album_jobs, finished_job
from tests.e2e.photos import final_item, read_object, thumbnails, uploaded_photo

KEY = "killed album/photo.jpg"

# Moments before and after each of four calls. A page job reads the manifest, the catalogue item, and the thumbnail, and
# writes the page. A bind job reads the manifest and two pages, and writes the PDF.
MOMENTS = 8

# Starts the job's program with fault injection. The first attempt dies at the moment that the array index or KILL_AT
# gives.
_KILLED_PROGRAM = """
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
    with uploaded_photo(sandbox, KEY):
        assert final_item(sandbox, KEY)["state"] == "ready"
        yield


def _album(album_id: str, pages: int) -> Album:
    return Album(album_id, "Killed", "2026-11-24T10:00:00.000Z", (KEY,) * pages, photos_per_page=1)


def _reference_album(sandbox: Sandbox, pages: int) -> Album:
    """Make an album without faults."""
    album = _album(f"reference-{pages}", pages)
    assert finished_job(sandbox, album_jobs(sandbox).submit(album))["status"] == "SUCCEEDED"
    return album


def _pages(sandbox: Sandbox, album: Album, count: int) -> list[bytes]:
    return [read_object(sandbox, page_key(album.id, index)) for index in range(count)]


def _write(sandbox: Sandbox, key: str, body: bytes) -> None:
    sandbox.client("s3").put_object(Bucket=sandbox.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key, Body=body)


def _submit(sandbox: Sandbox, kind: str, album: Album, *, kill_at: int | None, **options: Any) -> str:
    """Submit a job of an album, and kill it at the given moment, if any. Returns the job id."""
    outputs = sandbox.outputs["Batch"]
    queue, definition = {
        "page": ("JobQueue", "AlbumJobDefinition"),
        "bind": ("BindJobQueue", "BindJobDefinition"),
    }[kind]
    overrides: dict[str, Any] = {}
    if kill_at is not None:
        overrides["command"] = ["python", "-c", _KILLED_PROGRAM, kind, album.id]
        environment = {"PYTHONPATH": str(ROOT / "tests" / "soak" / "pythonpath"), "KILL_AT": str(kill_at)}
        overrides["environment"] = [{"name": name, "value": value} for name, value in environment.items()]
    job_id: str = sandbox.client("batch").submit_job(
        jobName=f"killed-{kind}",
        jobQueue=outputs[queue],
        jobDefinition=outputs[definition],
        parameters={"album": album.id},
        containerOverrides=overrides,
        **options,
    )["jobId"]
    return job_id


@pytest.mark.guarantee("Loses no photo")
def test_page_jobs_make_the_same_pages_after_being_killed(sandbox: Sandbox, photo: None) -> None:
    reference = _reference_album(sandbox, MOMENTS)
    album = _album("killed-pages", MOMENTS)
    _write(sandbox, manifest_key(album.id), album.to_json())
    array = _submit(sandbox, "page", album, kill_at=0, arrayProperties={"size": MOMENTS})
    assert finished_job(sandbox, array)["status"] == "SUCCEEDED"
    for index in range(MOMENTS):
        child = finished_job(sandbox, f"{array}:{index}")
        first, second = child["attempts"]
        assert first["statusReason"].startswith("Host EC2"), child
        assert second["container"]["exitCode"] == 0
    assert _pages(sandbox, album, MOMENTS) == _pages(sandbox, reference, MOMENTS)


@pytest.mark.guarantee("Loses no photo")
def test_bind_jobs_make_the_same_pdf_after_being_killed(sandbox: Sandbox, photo: None) -> None:
    reference = _reference_album(sandbox, 2)
    pdf, pages = read_object(sandbox, pdf_key(reference.id)), _pages(sandbox, reference, 2)
    albums = [_album(f"killed-binder-{moment}", 2) for moment in range(MOMENTS)]
    for album in albums:
        _write(sandbox, manifest_key(album.id), album.to_json())
        for index, page in enumerate(pages):
            _write(sandbox, page_key(album.id, index), page)
    for job_id in [_submit(sandbox, "bind", album, kill_at=moment) for moment, album in enumerate(albums)]:
        job = finished_job(sandbox, job_id)
        assert (job["status"], job["container"]["exitCode"]) == ("FAILED", 137), job
    *incomplete, complete = albums  # only the last job was killed after it had written the PDF
    assert [thumbnails(sandbox, pdf_key(album.id)) for album in incomplete] == [[]] * (MOMENTS - 1)
    assert read_object(sandbox, pdf_key(complete.id)) == pdf
    for job_id in [_submit(sandbox, "bind", album, kill_at=None) for album in albums]:
        assert finished_job(sandbox, job_id)["status"] == "SUCCEEDED"
    assert [read_object(sandbox, pdf_key(album.id)) for album in albums] == [pdf] * MOMENTS
