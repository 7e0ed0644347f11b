"""A sandbox in use: work that `cdk destroy` interrupts."""

from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import set_uploads_enabled
from tests.e2e.photos import final_item, originals, put_original, thumbnails
from tests.processes import running_processes

# Only the jobs below have this argument.
_JOB_MARK = "unfinished-job"

_QUEUED_PHOTOS = 3


def leave_work_unfinished(sandbox: Sandbox) -> None:
    """Leave objects, images, messages in both queues, and running jobs. Requires the stacks Thumbnails and Batch."""
    put_original(sandbox, "ready/photo.jpg")
    assert final_item(sandbox, "ready/photo.jpg")["state"] == "ready"
    _queue_photos(sandbox)
    _start_jobs(sandbox)
    assert originals(sandbox) and thumbnails(sandbox)
    ecr = sandbox.client("ecr")
    names = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    # All but the repository that the CDK created at bootstrap.
    assert all(ecr.list_images(repositoryName=name)["imageIds"] for name in names if not name.startswith("cdk-"))


def running_containers(sandbox: Sandbox) -> list[str]:
    """Return the command lines of all tasks and jobs. The emulator itself keeps the processes of functions."""
    return [
        process.command
        for process in running_processes()
        if process.parent == sandbox.emulator.process.pid and "ministack-lambda" not in process.command
    ]


def _queue_photos(sandbox: Sandbox) -> None:
    outputs = sandbox.outputs["Thumbnails"]
    set_uploads_enabled(sandbox, False)
    for number in range(_QUEUED_PHOTOS):
        put_original(sandbox, f"queued/{number}.jpg")
    sandbox.client("sqs").send_message(QueueUrl=outputs["DeadLetterQueueUrl"], MessageBody="unreadable")
    eventually(lambda: sandbox.queue_depth(outputs["UploadQueueUrl"]) == _QUEUED_PHOTOS)


def _start_jobs(sandbox: Sandbox) -> None:
    """Start an album of two pages, which do not end, with a job that waits for them, and another such job."""
    outputs, batch = sandbox.outputs["Batch"], sandbox.client("batch")
    command = ["python", "-c", "import time; time.sleep(600)", _JOB_MARK]
    job = {"jobName": "endless", "parameters": {"album": "none"}, "containerOverrides": {"command": command}}
    page = job | {"jobQueue": outputs["JobQueue"], "jobDefinition": outputs["AlbumJobDefinition"]}
    bind = job | {"jobQueue": outputs["BindJobQueue"], "jobDefinition": outputs["BindJobDefinition"]}
    pages = batch.submit_job(**page, arrayProperties={"size": 2})
    batch.submit_job(**bind, dependsOn=[{"jobId": pages["jobId"]}])
    batch.submit_job(**bind)
    eventually(lambda: sum(_JOB_MARK in command for command in running_containers(sandbox)) == 3)
