"""The work of the sweep, and of the schedule that starts it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from local.demo.catalogue import wait_for_item
from photos.keys import photo_id
from photos.sweep import Progress
from tests.permissions.trial import PREFIX, Failed, Trial, probe

_FUNCTION = "Cron/Function"

# Longer than the sweep leaves anything alone.
_LATER = timedelta(days=2)


@probe()
def mends(trial: Trial) -> None:
    """A sweep mends what is wrong: a lost thumbnail, an item without photo, an orphan, an abandoned upload."""
    bench = trial.bench
    lost = bench.item(bench.photo)["thumbnails"]["256"]
    bench.s3.delete_object(Bucket=bench.thumbnails, Key=lost)
    bench.s3.put_object(Bucket=bench.thumbnails, Key=f"{uuid4().hex}/0-orphan/256.webp", Body=b"-")
    bench.s3.create_multipart_upload(Bucket=bench.originals, Key=f"{PREFIX}abandoned")
    _put_item(trial, f"{PREFIX}{uuid4().hex}.png")
    progress = bench.invoke(bench.names.of(_FUNCTION), {"progress": Progress(datetime.now(UTC) + _LATER).to_json()})
    idle = [name for name, count in progress["counts"].items() if not count]
    if idle:
        raise Failed(f"the sweep counts no {', '.join(idle)}")
    # Made again, by the function that does that.
    trial.until("the lost thumbnail is back", lambda: bench.there(lost))


@probe()
def goes_on(trial: Trial) -> None:
    """A sweep that has no time left goes on in another run."""
    bench, client = trial.bench, trial.bench.sandbox.client("lambda")
    function = bench.names.of(_FUNCTION)
    _forget_report(trial)
    client.update_function_configuration(FunctionName=function, Timeout=60)  # less than it keeps in reserve
    try:
        bench.invoke(function, {})
        trial.until("the last run has written the report", lambda: bench.there(_report()))
        # A changed setting ends what runs. Lambda writes the log of a run when that has ended.
        runs = json.load(bench.s3.get_object(Bucket=bench.thumbnails, Key=_report())["Body"])["runs"]
        role = bench.names.of("Cron/FunctionRole")
        trial.until("all runs have ended", lambda: trial.asked_for(role, "logs:CreateLogStream") >= runs)
    finally:
        client.update_function_configuration(FunctionName=function, Timeout=900)


@probe()
def given_up(trial: Trial) -> None:
    """A sweep that failed three times is in the dead-letter queue."""
    trial.bench.start(trial.bench.names.of(_FUNCTION), {"progress": "nonsense"})
    _until_dead(trial)


@probe()
def scheduled(trial: Trial) -> None:
    """The schedule starts the sweep."""
    _forget_report(trial)
    _schedule(trial, trial.bench.names.of(_FUNCTION))
    trial.until("the sweep has written its report", lambda: trial.bench.there(_report()))


@probe(refused=("lambda:InvokeFunction",))
def not_started(trial: Trial) -> None:
    """A sweep that cannot be started is in the dead-letter queue."""
    _schedule(trial, trial.bench.names.of("Thumbnails/Function"))  # which the schedule's role may not
    _until_dead(trial)


def _schedule(trial: Trial, function: str) -> None:
    """Have a function started now as the sweep is at night: with all else of its schedule's target."""
    scheduler, name = trial.bench.sandbox.client("scheduler"), uuid4().hex
    nightly = scheduler.get_schedule(Name=trial.bench.names.of("Cron/Nightly"))
    arn: str = nightly["Target"]["Arn"]
    now = datetime.now(UTC) - timedelta(seconds=1)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({now:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=nightly["Target"] | {"Arn": f"{arn.rpartition(':')[0]}:{function}"},
    )
    trial.afterwards.callback(scheduler.delete_schedule, Name=name)


def _until_dead(trial: Trial) -> None:
    trial.until("the dead-letter queue has it", lambda: trial.bench.waiting("Cron") > 0)
    trial.bench.purge()


def _put_item(trial: Trial, key: str) -> None:
    """An item like that of the photo that is ready, for a photo that is not there."""
    like, other = trial.bench.item(trial.bench.photo), photo_id(key)
    texts: dict[str, Any] = {name: value for name, value in like.items() if isinstance(value, str)}
    attributes = {name: {"S": value} for name, value in (texts | {"key": key, "id": other}).items()}
    thumbnails = {size: {"S": f"{other}/0-gone/{size}.webp"} for size in like["thumbnails"]}
    trial.bench.sandbox.client("dynamodb").put_item(
        TableName=trial.bench.sandbox.outputs["Thumbnails"]["CatalogueTable"],
        Item={**attributes, "thumbnails": {"M": thumbnails}},
    )
    wait_for_item(trial.bench.sandbox, key, "ready")


def _report() -> str:
    return f"reports/{datetime.now(UTC).date().isoformat()}.json"


def _forget_report(trial: Trial) -> None:
    trial.bench.s3.delete_object(Bucket=trial.bench.thumbnails, Key=_report())
