"""Probes of the sweep, and of the schedule that starts it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from photos.keys import photo_id
from photos.sweep import Progress
from tests.permissions.probe import PREFIX, ProbeFailed, Trial, probe

_FUNCTION = "Cron/Function"
_SCHEDULE = "Cron/Nightly"
_TIMEOUT_SECONDS = 900  # of the function, as the stack sets it

# The sweep ignores what is recent. This is longer than every such limit.
_LATER = timedelta(days=2)


@probe
def repairs_inconsistencies(trial: Trial) -> None:
    """Repair a missing thumbnail, an item without a photo, an orphaned thumbnail, and an abandoned upload."""
    context = trial.context
    missing = next(iter(context.item(context.photo)["thumbnails"].values()))
    context.s3.delete_object(Bucket=context.thumbnails, Key=missing)
    context.put_object(f"{uuid4().hex}/0-orphan/256.webp", b"-")
    context.s3.create_multipart_upload(Bucket=context.originals, Key=f"{PREFIX}abandoned")
    _put_item_without_photo(trial)
    event = {"progress": Progress(datetime.now(UTC) + _LATER).to_json()}
    counts = context.invoke(context.resources.physical_id(_FUNCTION), event)["counts"]
    if zeros := [name for name, count in counts.items() if not count]:
        raise ProbeFailed(f"the sweep reports no {', '.join(zeros)}")
    # The thumbnail function creates it again.
    trial.wait_until("missing thumbnail exists", lambda: context.object_exists(missing))


@probe
def continues_in_another_invocation(trial: Trial) -> None:
    """Continue in another invocation before the function times out."""
    context, lambda_ = trial.context, trial.context.sandbox.client("lambda")
    function, role = (context.resources.physical_id(path) for path in (_FUNCTION, "Cron/FunctionRole"))
    _delete_report(trial)
    # Less than the time that the sweep reserves for the end of an invocation.
    lambda_.update_function_configuration(FunctionName=function, Timeout=60)
    try:
        context.invoke(function, {})
        _wait_for_report(trial)
        # A configuration change ends running invocations, and Lambda writes the log of an invocation after its end.
        runs = context.read_json(_report_key())["runs"]
        trial.wait_until("log of each run", lambda: trial.count_requests(role, "logs:CreateLogStream") >= runs)
    finally:
        lambda_.update_function_configuration(FunctionName=function, Timeout=_TIMEOUT_SECONDS)


@probe
def sends_failure_to_dead_letter_queue(trial: Trial) -> None:
    """Send a sweep that failed three times to the dead-letter queue."""
    trial.context.invoke_async(trial.context.resources.physical_id(_FUNCTION), {"progress": "invalid"})
    _wait_for_dead_letter_queue(trial)


@probe
def starts_on_schedule(trial: Trial) -> None:
    """Start the sweep on schedule."""
    _delete_report(trial)
    create_due_schedule(trial, _SCHEDULE, _FUNCTION)
    _wait_for_report(trial)


@partial(probe, expected_denials=frozenset({"lambda:InvokeFunction"}))
def sends_failed_start_to_dead_letter_queue(trial: Trial) -> None:
    """Send a sweep that the schedule cannot start to the dead-letter queue."""
    create_due_schedule(trial, _SCHEDULE, "Thumbnails/Function")  # the schedule's role cannot invoke this one
    _wait_for_dead_letter_queue(trial)


def create_due_schedule(trial: Trial, schedule: str, function: str = "") -> None:
    """Create a due schedule with the target of `schedule`, or with another function. Both are paths of constructs."""
    scheduler, name, resources = trial.context.sandbox.client("scheduler"), uuid4().hex, trial.context.resources
    target = scheduler.get_schedule(Name=resources.physical_id(schedule))["Target"]
    if function:
        target["Arn"] = f"{target['Arn'].rpartition(':')[0]}:{resources.physical_id(function)}"
    due = datetime.now(UTC) - timedelta(seconds=1)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    trial.cleanup.callback(scheduler.delete_schedule, Name=name)


def _wait_for_dead_letter_queue(trial: Trial) -> None:
    sandbox = trial.context.sandbox
    queue = sandbox.outputs["Cron"]["DeadLetterQueueUrl"]
    trial.wait_until("message in the dead-letter queue", lambda: sandbox.queue_depth(queue) > 0)
    trial.context.purge_queues()


def _put_item_without_photo(trial: Trial) -> None:
    """Copy the catalogue item of the photo that is ready to a photo that does not exist."""
    context, key = trial.context, f"{PREFIX}{uuid4().hex}.png"
    item, copy_id = context.item(context.photo), photo_id(key)
    strings = {name: value for name, value in item.items() if isinstance(value, str)}
    thumbnails = {size: f"{copy_id}/0-missing/{size}.webp" for size in item["thumbnails"]}
    context.put_item(strings | {"key": key, "id": copy_id}, thumbnails)


def _report_key() -> str:
    return f"reports/{datetime.now(UTC).date().isoformat()}.json"


def _wait_for_report(trial: Trial) -> None:
    trial.wait_until("report of the sweep", lambda: trial.context.object_exists(_report_key()))


def _delete_report(trial: Trial) -> None:
    trial.context.s3.delete_object(Bucket=trial.context.thumbnails, Key=_report_key())
