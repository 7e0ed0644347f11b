"""The work of the album's jobs, and of AWS Batch, which starts them in the name of their execution role."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.emulator import ROOT
from photos.albums import Album, page_key
from photos.keys import photo_id
from photos.timestamps import format_utc
from tests.permissions.trial import PREFIX, Failed, Trial, probe

# Outputs of the stack that tell a queue, and a job definition.
_MAKE_PAGE = ("JobQueue", "AlbumJobDefinition")
_BIND = ("BindJobQueue", "BindJobDefinition")

# What was made of it is of no account: any JPEG is a page.
_PAGE = ROOT / "samples" / "retina.jpg"


@probe()
def page(trial: Trial) -> None:
    """A page of an album is made."""
    _run(trial, _MAKE_PAGE, trial.bench.new_album())


@probe()
def page_with_gap(trial: Trial) -> None:
    """A page of an album has a gap where a thumbnail is gone."""
    bench, key = trial.bench, f"{PREFIX}{uuid4().hex}.png"
    texts = {"key": key, "id": photo_id(key), "state": "ready", "created_at": format_utc(datetime.now(UTC))}
    attributes: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
    bench.sandbox.client("dynamodb").put_item(
        TableName=bench.sandbox.outputs["Thumbnails"]["CatalogueTable"],
        Item=attributes | {"thumbnails": {"M": {"256": {"S": "gone/256.webp"}}}},
    )
    trial.afterwards.callback(
        bench.sandbox.client("dynamodb").delete_item,
        TableName=bench.sandbox.outputs["Thumbnails"]["CatalogueTable"],
        Key={"key": {"S": key}},
    )
    _run(trial, _MAKE_PAGE, trial.bench.new_album(key))


@probe()
def bind(trial: Trial) -> None:
    """The pages of an album are bound."""
    album = trial.bench.new_album()
    trial.bench.put(page_key(album.id, 0), _PAGE.read_bytes())
    _run(trial, _BIND, album)


@probe()
def bind_without_page(trial: Trial) -> None:
    """An album that lacks a page is not bound, and its log says which."""
    album = trial.bench.new_album()
    try:
        _run(trial, _BIND, album)
    except Failed as failed:
        if page_key(album.id, 0) not in str(failed):
            raise


def _run(trial: Trial, kind: tuple[str, str], album: Album) -> None:
    """Run a job until its end. Raises Failed with its last words."""
    batch, outputs = trial.bench.sandbox.client("batch"), trial.bench.sandbox.outputs["Batch"]
    queue, definition = (outputs[output] for output in kind)
    job_id = batch.submit_job(
        jobName="privileges", jobQueue=queue, jobDefinition=definition, parameters={"album": album.id}
    )["jobId"]

    def job() -> dict[str, Any]:
        (found,) = batch.describe_jobs(jobs=[job_id])["jobs"]
        return found  # type: ignore[no-any-return]  # the client has no types

    trial.until("the job has ended", lambda: job()["status"] in ("SUCCEEDED", "FAILED"))
    if (ended := job())["status"] == "FAILED":
        raise Failed(ended["container"].get("reason") or _last_words(trial, ended))


def _last_words(trial: Trial, job: dict[str, Any]) -> str:
    events = trial.bench.sandbox.client("logs").get_log_events(
        logGroupName=job["container"]["logConfiguration"]["options"]["awslogs-group"],
        logStreamName=job["container"]["logStreamName"],
    )["events"]
    return events[-1]["message"] if events else "it said nothing"
