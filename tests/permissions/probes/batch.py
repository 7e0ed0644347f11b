"""Probes of the album and remake jobs, and of the execution role with which AWS Batch starts them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.emulator import ROOT
from photos.albums import Album, page_key
from photos.keys import photo_id
from photos.remake import divide, manifest_key
from photos.timestamps import format_utc
from tests.permissions.probe import PREFIX, ProbeFailed, Trial, probe

# Outputs of the Batch stack: a job queue and a job definition.
_PAGE_JOB = ("JobQueue", "AlbumJobDefinition")
_BIND_JOB = ("BindJobQueue", "BindJobDefinition")
_REMAKE_JOB = ("JobQueue", "RemakeJobDefinition")

_ANY_JPEG = ROOT / "samples" / "retina.jpg"  # a valid page


@probe
def renders_page(trial: Trial) -> None:
    """Render an album page."""
    _run_album(trial, _PAGE_JOB, trial.context.new_album())


@probe
def renders_page_without_thumbnail(trial: Trial) -> None:
    """Render an album page for a photo whose thumbnail does not exist."""
    context, key = trial.context, f"{PREFIX}{uuid4().hex}.png"
    attributes = {"key": key, "id": photo_id(key), "state": "ready", "created_at": format_utc(datetime.now(UTC))}
    context.put_item(attributes, thumbnails={"256": "missing/256.webp"})
    trial.cleanup.callback(context.delete_item, key)
    _run_album(trial, _PAGE_JOB, context.new_album(key))


@probe
def binds_album(trial: Trial) -> None:
    """Bind the pages of an album."""
    album = trial.context.new_album()
    trial.context.put_object(page_key(album.id, 0), _ANY_JPEG.read_bytes())
    _run_album(trial, _BIND_JOB, album)


@probe
def reports_missing_page(trial: Trial) -> None:
    """Name the missing page of an album in the job's log."""
    album = trial.context.new_album()
    try:
        _run_album(trial, _BIND_JOB, album)
    except ProbeFailed as error:
        if page_key(album.id, 0) not in str(error):
            raise


@probe
def remakes_thumbnails(trial: Trial) -> None:
    """Regenerate the thumbnails of all photos, and delete one whose size does not exist anymore."""
    context = trial.context
    item = context.item(context.photo)
    strings = {name: value for name, value in item.items() if isinstance(value, str)}
    removed = f"{item['id']}/removed/1.webp"
    context.put_object(removed, b"-")
    context.put_item(strings, {**item["thumbnails"], "1": removed})
    trial.cleanup.callback(context.put_item, strings, item["thumbnails"])
    _remake(trial)
    if context.object_exists(removed) or context.item(context.photo) != item:
        raise ProbeFailed("the photo has other thumbnails than the current ones")
    _remake(trial)  # finds nothing that a killed attempt left behind


@probe
def remakes_photo_that_is_deleted(trial: Trial) -> None:
    """Regenerate the thumbnails of all photos, of which one is deleted after it was listed."""
    program = f"""
import sys
from datetime import UTC, datetime
from photos.storage import ObjectSummary, Originals
from thumbnailer.remake import main
Originals.list_objects = lambda *_, **__: [ObjectSummary("{PREFIX}deleted.png", "0" * 32, datetime.now(UTC))]
sys.exit(main(sys.argv[1:]))
"""
    _remake(trial, program)


@probe
def reports_missing_manifest(trial: Trial) -> None:
    """Name the missing manifest of a remake in the job's log."""
    manifest = manifest_key(uuid4().hex)
    try:
        _run(trial, _REMAKE_JOB, {"manifest": manifest})
    except ProbeFailed as error:
        if f"{manifest} is not in the bucket" not in str(error):
            raise


def _remake(trial: Trial, program: str | None = None) -> None:
    """Run a remake of all photos with this program, by default that of the image."""
    manifest = manifest_key(uuid4().hex)
    trial.context.put_object(manifest, divide([]).to_json())
    command = {"command": ["python", "-c", program, manifest]} if program else {}
    _run(trial, _REMAKE_JOB, {"manifest": manifest}, containerOverrides=command)


def _run_album(trial: Trial, job: tuple[str, str], album: Album) -> None:
    _run(trial, job, {"album": album.id})


def _run(trial: Trial, job: tuple[str, str], parameters: dict[str, str], **options: Any) -> None:
    """Run a job to its end. Raises ProbeFailed with the last line of its log if it fails."""
    batch, outputs = trial.context.sandbox.client("batch"), trial.context.sandbox.outputs["Batch"]
    queue, definition = (outputs[output] for output in job)
    job_id = batch.submit_job(
        jobName="permissions", jobQueue=queue, jobDefinition=definition, parameters=parameters, **options
    )["jobId"]

    def describe() -> Any:
        (found,) = batch.describe_jobs(jobs=[job_id])["jobs"]
        return found

    trial.wait_until("end of the job", lambda: describe()["status"] in ("SUCCEEDED", "FAILED"))
    if (ended := describe())["status"] == "FAILED":
        raise ProbeFailed(ended["container"].get("reason") or _last_log_line(trial, ended))


def _last_log_line(trial: Trial, job: dict[str, Any]) -> str:
    events = trial.context.sandbox.client("logs").get_log_events(
        logGroupName=job["container"]["logConfiguration"]["options"]["awslogs-group"],
        logStreamName=job["container"]["logStreamName"],
    )["events"]
    return events[-1]["message"] if events else "the log is empty"
