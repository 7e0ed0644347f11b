"""Probes of the workers that make thumbnails on Fargate or EC2. Those in `thumbnails.py` cover their task role."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.permissions.probe import Trial, probe
from tests.permissions.probes.ecs import start_task


@probe
def starts_worker(trial: Trial) -> None:
    """Start a worker."""
    (definition,) = [
        it.path for it in trial.context.resources.of_type("AWS::ECS::TaskDefinition") if it.path.startswith("Workers/")
    ]
    start_task(trial, definition)


@probe
def keeps_queue_active(trial: Trial) -> None:
    """Call the upload queue on schedule, so that SQS publishes its metrics."""
    sandbox, name = trial.context.sandbox, uuid4().hex
    queue = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    sqs, scheduler = sandbox.client("sqs"), sandbox.client("scheduler")
    schedule = scheduler.get_schedule(Name=trial.context.resources.physical_id("Workers/Scaling/KeepActive"))
    sqs.tag_queue(QueueUrl=queue, Tags={"none": "The call removes this."})
    trial.cleanup.callback(sqs.untag_queue, QueueUrl=queue, TagKeys=["none"])
    due = datetime.now(UTC) - timedelta(seconds=1)
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=schedule["Target"],
    )
    trial.cleanup.callback(scheduler.delete_schedule, Name=name)
    trial.wait_until("tag is removed", lambda: "none" not in sqs.list_queue_tags(QueueUrl=queue).get("Tags", {}))
