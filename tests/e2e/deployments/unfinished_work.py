"""A sandbox in use: work that `cdk destroy` interrupts."""

from pathlib import Path

from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import set_uploads_enabled
from tests.e2e.photos import final_item, originals, put_original, thumbnails

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


def running_processes(sandbox: Sandbox) -> list[str]:
    """Return the command lines of all tasks and jobs. The emulator itself keeps the processes of functions."""
    endpoint = f"AWS_ENDPOINT_URL={sandbox.emulator.endpoint}"
    environments = {file: _read(file).split("\0") for file in Path("/proc").glob("[0-9]*/environ")}
    return [
        _read(file.with_name("cmdline")).replace("\0", " ")
        for file, variables in environments.items()
        if endpoint in variables and any(variable.startswith("HOST=127.") for variable in variables)
    ]


def _running_jobs() -> list[Path]:
    return [file for file in Path("/proc").glob("[0-9]*/cmdline") if _JOB_MARK in _read(file)]


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:  # The process has ended, or belongs to another user.
        return ""


def _queue_photos(sandbox: Sandbox) -> None:
    outputs = sandbox.outputs["Thumbnails"]
    set_uploads_enabled(sandbox, False)
    for number in range(_QUEUED_PHOTOS):
        put_original(sandbox, f"queued/{number}.jpg")
    sandbox.client("sqs").send_message(QueueUrl=outputs["DeadLetterQueueUrl"], MessageBody="unreadable")
    eventually(lambda: sandbox.queue_depth(outputs["UploadQueueUrl"]) == _QUEUED_PHOTOS)


def _start_jobs(sandbox: Sandbox) -> None:
    outputs = sandbox.outputs["Batch"]
    command = ["python", "-c", "import time; time.sleep(600)", _JOB_MARK]
    for queue, definition in (("JobQueue", "AlbumJobDefinition"), ("BindJobQueue", "BindJobDefinition")):
        sandbox.client("batch").submit_job(
            jobName="endless",
            jobQueue=outputs[queue],
            jobDefinition=outputs[definition],
            parameters={"album": "none"},
            containerOverrides={"command": command},
        )
    eventually(lambda: len(_running_jobs()) == 2)
