"""Probes of the workers that make thumbnails on Fargate or EC2. Those in `thumbnails.py` cover their task role."""

from tests.permissions.probe import Trial, probe
from tests.permissions.probes.ecs import start_task
from tests.permissions.probes.sweep import create_due_schedule


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
    sqs, outputs = trial.context.sandbox.client("sqs"), trial.context.sandbox.outputs
    queue = outputs["Thumbnails"]["UploadQueueUrl"]
    sqs.tag_queue(QueueUrl=queue, Tags={"none": "The call removes this."})
    trial.cleanup.callback(sqs.untag_queue, QueueUrl=queue, TagKeys=["none"])
    create_due_schedule(trial, "Workers/Scaling/KeepActive")
    trial.wait_until("tag is removed", lambda: "none" not in sqs.list_queue_tags(QueueUrl=queue).get("Tags", {}))
