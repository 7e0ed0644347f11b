"""Regenerates the thumbnails of all photos with an AWS Batch array job, and shows its progress.

Only one remake runs at a time. Two at the same time would do no harm, but do all work twice, so of two that were
submitted at the same moment, the later one terminates itself.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from operations.errors import OperationError
from operations.outputs import stack_outputs
from operations.settings import make_command
from photos.remake import PREFIX, divide, manifest_key
from photos.storage import Originals

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_batch.type_defs import SubmitJobRequestTypeDef
    from mypy_boto3_s3 import S3Client

_INTERVAL_SECONDS = 2
_STATUSES = ("SUCCEEDED", "FAILED", "RUNNING", "STARTING", "RUNNABLE", "PENDING", "SUBMITTED")
_FINISHED = _STATUSES[:2]
_MAX_DESCRIBED = 100  # jobs of one DescribeJobs call

# The age from which a manifest is deleted if no remake runs. A command writes it moments before it submits the job.
_ABANDONED_AFTER = timedelta(hours=1)


def remake(session: boto3.Session, name: str) -> None:
    """Start a remake unless one is running, and show its progress until it ends.

    Raises:
        NotDeployedError: The stack `Thumbnails` or `Batch` is not deployed.
        OperationError: The remake failed, or Ctrl-C ended the display. The message says how to continue.
    """
    storage, jobs = (stack_outputs(session, name, stack) for stack in ("Thumbnails", "Batch"))
    command = make_command("remake", name)
    if "RemakeJobDefinition" not in jobs:
        raise OperationError(
            f"Stack {name}-Batch has no output RemakeJobDefinition: an older version deployed it. "
            f"Run `{make_command('deploy', name)}`, then `{command}`."
        )
    remakes = _Remakes(session, storage, queue=jobs["JobQueue"], definition=jobs["RemakeJobDefinition"])
    job_id = ""
    try:
        job_id = remakes.find_running() or remakes.start()
        if job_id:
            remakes.follow(job_id)
    except KeyboardInterrupt:
        end = f" To end it, run: aws batch terminate-job --reason ended --job-id {job_id}" if job_id else ""
        raise OperationError(
            f"\nStopped. A remake that has started continues. To show its progress, run `{command}` again.{end}"
        ) from None
    except _RemakeFailed as error:
        raise OperationError(
            f"{error}\nThe remake failed. All other photos have new thumbnails. Fix the cause, then run `{command}` "
            "again."
        ) from None


class _RemakeFailed(Exception):
    """The job failed. The message has one line for each failed child."""


class _Remakes:
    """The jobs of remakes, and their manifests."""

    def __init__(self, session: boto3.Session, storage: Mapping[str, str], *, queue: str, definition: str) -> None:
        self._batch: BatchClient = session.client("batch")
        self._s3: S3Client = session.client("s3")
        self._logs = session.client("logs")
        self._originals = Originals(self._s3, storage["OriginalsBucket"])
        self._bucket = storage["ThumbnailsBucket"]
        self._queue = queue
        self._definition = definition

    def find_running(self) -> str:
        """Return the id of the running remake, or an empty string."""
        running = self._running()
        if not running:
            return ""
        started_at = datetime.fromtimestamp(running[0]["createdAt"] / 1000, UTC)
        print(f"A remake is running since {started_at:%Y-%m-%d %H:%M:%S} UTC.")
        return str(running[0]["jobId"])

    def start(self) -> str:
        """Submit a remake of all photos.

        Returns:
            The id of its job, or of one that was submitted earlier at the same moment, or an empty string if there are
            no photos.
        """
        manifest = divide(original.key for original in self._originals.list_objects())
        if not manifest.photos:
            print("There are no photos.")
            return ""
        self._delete_abandoned_manifests()
        remake_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        key = manifest_key(remake_id)
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=manifest.to_json(), ContentType="application/json")
        request: SubmitJobRequestTypeDef = {
            "jobName": f"remake-{remake_id}",
            "jobQueue": self._queue,
            "jobDefinition": self._definition,
            "parameters": {"manifest": key},
        }
        slices = len(manifest.starts)
        if slices > 1:  # the minimum array size; a single job processes the first slice
            request["arrayProperties"] = {"size": slices}
        job_id = self._batch.submit_job(**request)["jobId"]
        (own,) = self._describe([job_id])
        first = min([own, *self._running()], key=_submission)
        if first["jobId"] != job_id:
            self._batch.terminate_job(jobId=job_id, reason="Another remake was submitted before this one")
            self._delete_manifest(key)
            print("Another remake was started at the same moment.")
            return str(first["jobId"])
        print(f"Photos: {manifest.photos}. Child jobs: {slices}, which continue after Ctrl-C.")
        return job_id

    def follow(self, job_id: str) -> None:
        """Show the progress of a remake until it ends, and delete its manifest if it succeeds. Raises _RemakeFailed."""
        print(f"Job {job_id}")
        line = _Line()
        try:
            while True:
                (job,) = self._describe([job_id])
                line.show(f"Child jobs: {_progress(job)}")
                if job["status"] in _FINISHED:
                    break
                time.sleep(_INTERVAL_SECONDS)
        finally:
            line.end()
        if job["status"] == "FAILED":
            raise _RemakeFailed("\n".join(self._failures(job)))
        self._delete_manifest(job["parameters"]["manifest"])
        minutes = (job["stoppedAt"] - job["createdAt"]) / 60_000
        print(f"The thumbnails of all photos are regenerated. It took {minutes:.1f} minutes.")

    def _running(self) -> list[Any]:
        """Return the summaries of the remakes that are not finished, in the order of their submission."""
        definition = self._definition.rpartition("/")[2].partition(":")[0]  # its name selects all revisions
        # A filter, because lists by status would miss a job whose status changes between two of them.
        pages = self._batch.get_paginator("list_jobs").paginate(
            jobQueue=self._queue, filters=[{"name": "JOB_DEFINITION", "values": [definition]}]
        )
        found = (job for page in pages for job in page["jobSummaryList"])
        return sorted((job for job in found if job["status"] not in _FINISHED), key=_submission)

    def _describe(self, job_ids: list[str]) -> list[Any]:
        jobs = self._batch.describe_jobs(jobs=job_ids)["jobs"]
        return sorted(jobs, key=lambda job: job_ids.index(job["jobId"]))

    def _failures(self, job: Any) -> Iterator[str]:
        """Yield one line for each failed child, or for the job if it has none."""
        failed = [job["jobId"]]
        if "size" in job.get("arrayProperties", {}):
            pages = self._batch.get_paginator("list_jobs").paginate(arrayJobId=job["jobId"], jobStatus="FAILED")
            failed = [child["jobId"] for page in pages for child in page["jobSummaryList"]]
            failed.sort(key=lambda child_id: int(child_id.rpartition(":")[2]))
        for start in range(0, len(failed), _MAX_DESCRIBED):
            yield from map(self._failure, self._describe(failed[start : start + _MAX_DESCRIBED]))

    def _failure(self, job: Any) -> str:
        container = job.get("container", {})
        reasons = [job.get("statusReason", ""), container.get("reason", "")]
        if "exitCode" in container:
            reasons.append(f"exit status {container['exitCode']}")
        log = "It has no log, because it did not start."
        if "logStreamName" in container:
            group = container["logConfiguration"]["options"]["awslogs-group"]
            reasons.append(self._last_line(group, container["logStreamName"]))
            log = f"Log group {group}, stream {container['logStreamName']}"
        index = job.get("arrayProperties", {}).get("index", 0)
        return f"Child job {index}: {'; '.join(it.rstrip('.') for it in reasons if it)}. {log}"

    def _last_line(self, group: str, stream: str) -> str:
        """Return the last line of a log, or an empty string: the program ends with its reason."""
        try:
            events = self._logs.get_log_events(logGroupName=group, logStreamName=stream, limit=1)["events"]
        except self._logs.exceptions.ResourceNotFoundException:
            return ""
        return events[0]["message"].strip() if events else ""

    def _delete_manifest(self, key: str) -> None:
        self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _delete_abandoned_manifests(self) -> None:
        """Delete the manifests of remakes that failed, or that no command followed to their end."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=PREFIX):
            for entry in page.get("Contents", []):
                if entry["LastModified"] < datetime.now(UTC) - _ABANDONED_AFTER:
                    self._delete_manifest(entry["Key"])


def _submission(job: Any) -> tuple[int, str]:
    """Return what orders jobs by their submission."""
    return job["createdAt"], job["jobId"]


def _progress(job: Any) -> str:
    """Return the number of children by status."""
    array = job.get("arrayProperties", {})
    counts = array.get("statusSummary", {}) if "size" in array else {job["status"]: 1}
    return ", ".join(f"{counts[it]} {it.lower()}" for it in _STATUSES if counts.get(it)) or "submitted"


class _Line:
    """A line that a terminal shows in place. Elsewhere, each new text is a line."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, text: str) -> None:
        """Replace the text of the line."""
        if text != self._shown:
            print(*(["\r\033[K", text] if sys.stdout.isatty() else [text, "\n"]), sep="", end="", flush=True)
        self._shown = text

    def end(self) -> None:
        """Continue on the next line."""
        if self._shown and sys.stdout.isatty():
            print()
