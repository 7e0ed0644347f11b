"""A sandbox in the middle of its work: what `cdk destroy` finds when nobody waited for anything."""

from pathlib import Path
from typing import Any

from local.demo.catalogue import wait_for_item
from local.demo.photo import PHOTO
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import waiting
from tests.soak.faults import thumbnail_function

# On the command line of each job below, and of no other process.
_MARK = "a-job-that-nobody-waits-for"

_WAITING_PHOTOS = 3


def upload_photo(sandbox: Sandbox, key: str) -> dict[str, Any]:
    """Upload one. Returns the item that the catalogue has of it when it is ready."""
    sandbox.client("s3").upload_file(str(PHOTO), sandbox.outputs["Thumbnails"]["OriginalsBucket"], key)
    return wait_for_item(sandbox, key, "ready")


def leave_work_unfinished(sandbox: Sandbox) -> None:
    """Leave photos waiting and jobs running. The stacks Thumbnails and Batch must be deployed."""
    upload_photo(sandbox, "ready/for the end.jpg")
    _leave_photos_waiting(sandbox)
    _leave_jobs_running(sandbox)
    assert all(_keys(sandbox, bucket) for bucket in ("OriginalsBucket", "ThumbnailsBucket"))
    ecr = sandbox.client("ecr")
    names = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    # All but the repository that the CDK created at bootstrap.
    assert all(ecr.list_images(repositoryName=name)["imageIds"] for name in names if not name.startswith("cdk-"))


def running_processes(sandbox: Sandbox) -> list[str]:
    """The processes of tasks and jobs: their command lines. Those of functions are the emulator's to keep."""
    endpoint = f"AWS_ENDPOINT_URL={sandbox.emulator.endpoint}"
    told = {file: _read(file).split("\0") for file in Path("/proc").glob("[0-9]*/environ")}
    return [
        _read(file.with_name("cmdline")).replace("\0", " ")
        for file, variables in told.items()
        if endpoint in variables and any(variable.startswith("HOST=127.") for variable in variables)
    ]


def _jobs_running() -> list[Path]:
    """The jobs that were left running."""
    return [file for file in Path("/proc").glob("[0-9]*/cmdline") if _MARK in _read(file)]


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:  # it has ended meanwhile, or is another user's
        return ""


def _leave_photos_waiting(sandbox: Sandbox) -> None:
    functions = sandbox.client("lambda")
    (mapping,) = functions.list_event_source_mappings(FunctionName=thumbnail_function(sandbox))["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    outputs = sandbox.outputs["Thumbnails"]
    for number in range(_WAITING_PHOTOS):
        key = f"waiting/{number}.jpg"
        sandbox.client("s3").upload_file(str(PHOTO), outputs["OriginalsBucket"], key)
    sandbox.client("sqs").send_message(QueueUrl=outputs["DeadLetterQueueUrl"], MessageBody="a dead letter")
    eventually(lambda: waiting(sandbox, "Thumbnails", "UploadQueueUrl") == _WAITING_PHOTOS)


def _leave_jobs_running(sandbox: Sandbox) -> None:
    outputs = sandbox.outputs["Batch"]
    command = ["python", "-c", "import time; time.sleep(600)", _MARK]
    for queue, definition in (("JobQueue", "AlbumJobDefinition"), ("BindJobQueue", "BindJobDefinition")):
        sandbox.client("batch").submit_job(
            jobName="endless",
            jobQueue=outputs[queue],
            jobDefinition=outputs[definition],
            parameters={"album": "none"},
            containerOverrides={"command": command},
        )
    eventually(lambda: len(_jobs_running()) == 2)


def _keys(sandbox: Sandbox, bucket: str) -> list[str]:
    listed = sandbox.client("s3").list_objects_v2(Bucket=sandbox.outputs["Thumbnails"][bucket])
    return [entry["Key"] for entry in listed.get("Contents", [])]
