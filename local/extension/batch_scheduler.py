"""How jobs of AWS Batch run, from submitted to finished: as processes of this machine.

See `batch_jobs.py` for what of it is real.
"""

import fnmatch
import itertools
import secrets
import signal
import threading
import time
from collections.abc import Iterable
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import batch

from local.extension import container_images
from local.extension.container_processes import Process, forward_logs
from local.extension.service_events import emit_event

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 10  # from SIGTERM to SIGKILL; 30 on AWS

FINISHED = ("SUCCEEDED", "FAILED")

# Guards every job, and tells of every change of one.
changed = threading.Condition(threading.RLock())

# The running process of a job, by its id.
_processes: dict[str, Process] = {}

# vCPUs in use, by the ARN of the queue.
_used: dict[str, float] = {}


def run_all(job: dict[str, Any], children: list[dict[str, Any]], waited_for: list[dict[str, Any]]) -> None:
    """From submitted to finished, of a job or of an array and all its children."""
    with changed:
        for each in (job, *children):
            set_status(each, "PENDING")
        changed.wait_for(
            lambda: _all_finished(waited_for) or _all_finished(children or [job])  # the latter if cancelled
        )
        if any(other["status"] == "FAILED" for other in waited_for):
            for each in (job, *children):
                set_status(each, "FAILED", "Dependent Job failed")
            return
    if not children:
        _run(job)
        return
    threads = [threading.Thread(target=_run_in, args=(get_account_id(), get_region(), child)) for child in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with changed:
        failed = [child for child in children if child["status"] == "FAILED"]
        set_status(job, "FAILED" if failed else "SUCCEEDED", "Array Child Job failed" if failed else "")


def _run_in(account: str, region: str, job: dict[str, Any]) -> None:
    with request_scope(account, region):
        _run(job)


def _run(job: dict[str, Any]) -> None:
    """Wait for vCPUs and do all attempts of one job."""
    queue, vcpus = job["jobQueue"], _vcpus(job)
    for attempt in itertools.count(1):
        with changed:
            set_status(job, "RUNNABLE")
            changed.wait_for(lambda: job["status"] == "FAILED" or _used.get(queue, 0) + vcpus <= _room(queue))
            if job["status"] == "FAILED":
                return
            _used[queue] = _used.get(queue, 0) + vcpus
            set_status(job, "STARTING")
        try:
            ended = _attempt(job, attempt)
        finally:
            with changed:
                _used[queue] -= vcpus
                changed.notify_all()
        with changed:
            job["attempts"].append(ended)
            job["container"] |= ended["container"]
            again = attempt < job["retryStrategy"].get("attempts", 1) and _retries(job, ended)
            if job["isTerminated"] or ended["container"].get("exitCode") == 0 or not again:
                succeeded = ended["container"].get("exitCode") == 0 and not job["isTerminated"]
                set_status(job, "SUCCEEDED" if succeeded else "FAILED", ended["statusReason"])
                return


def _attempt(job: dict[str, Any], number: int) -> dict[str, Any]:
    """Run the program once, and return how it ended."""
    container: dict[str, Any] = {}
    ended = {"container": container, "startedAt": batch._now_ms(), "statusReason": "Essential container in task exited"}
    try:
        process = _start(job, number, container)
    except (container_images.ImageNotFound, OSError, LookupError) as error:
        container["reason"] = f"CannotStartContainerError: {error}"
        return ended | {"stoppedAt": batch._now_ms(), "statusReason": "Task failed to start"}
    with changed:
        _processes[job["jobId"]] = process
        job["startedAt"] = batch._now_ms()
        set_status(job, "RUNNING")
    seconds = job["timeout"].get("attemptDurationSeconds")
    deadline = time.monotonic() + seconds if seconds else None
    while process.running:
        timed_out = deadline is not None and time.monotonic() > deadline
        if timed_out or job["isTerminated"]:
            container["exitCode"] = process.stop(_GRACE_SECONDS)
            ended["statusReason"] = (
                job["statusReason"] if job["isTerminated"] else "Job attempt duration exceeded timeout"
            )
            job["isTerminated"] = job["isTerminated"] or timed_out  # AWS tries no more after a time-out either
            break
        time.sleep(_POLL_SECONDS)
    else:
        container["exitCode"] = process.wait()
        if container["exitCode"] == 128 + signal.SIGKILL and "EC2" in job["platformCapabilities"]:
            del container["exitCode"]
            ended["statusReason"] = f"Host EC2 (instance i-{secrets.token_hex(9)[:17]}) terminated."
    with changed:
        del _processes[job["jobId"]]
    return ended | {"stoppedAt": batch._now_ms()}


def _start(job: dict[str, Any], number: int, container: dict[str, Any]) -> Process:
    described = job["container"]
    environment = {pair["name"]: pair["value"] for pair in described["environment"]}
    environment |= {"AWS_BATCH_JOB_ID": job["jobId"], "AWS_BATCH_JOB_ATTEMPT": str(number)}
    environment["AWS_BATCH_JQ_NAME"] = job["jobQueue"].rpartition("/")[2]
    if "index" in job.get("arrayProperties", {}):
        environment["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job["arrayProperties"]["index"])
    execution_role = described["executionRoleArn"]
    process = Process(
        container_images.pull(described["image"], execution_role),
        arguments=described["command"],
        environment=environment,
        role_arn=described["jobRoleArn"],
    )
    options = described["logConfiguration"].get("options", {})
    prefix = options.get("awslogs-stream-prefix", job["jobDefinition"].rpartition("/")[2].partition(":")[0])
    container["logStreamName"] = described["logStreamName"] = f"{prefix}/default/{process.id[:32]}"
    try:
        group = options.get("awslogs-group", "/aws/batch/job")
        forward_logs(process, group, container["logStreamName"], execution_role)
    except (LookupError, PermissionError):
        process.stop(0)
        raise
    return process


def _retries(job: dict[str, Any], ended: dict[str, Any]) -> bool:
    """What `evaluateOnExit` says: the first rule whose patterns all match. Without a match the job is retried."""
    container = ended["container"]
    facts = {
        "onStatusReason": ended["statusReason"],
        "onReason": container.get("reason", ""),
        "onExitCode": str(container.get("exitCode", "")),
    }
    for rule in job["retryStrategy"].get("evaluateOnExit", []):
        if all(fnmatch.fnmatchcase(facts[name], rule[name]) for name in facts if name in rule):
            return bool(rule["action"].upper() == "RETRY")
    return True


def set_status(job: dict[str, Any], status: str, reason: str = "") -> None:
    """Change a job's status, unless it is finished. Hold the lock."""
    if job["status"] in FINISHED:
        return
    job["status"] = status
    if status in FINISHED:
        job["stoppedAt"] = batch._now_ms()
        job["statusReason"] = reason
    if status == "FAILED":
        detail = {name: job[name] for name in ("jobArn", "jobName", "jobId", "jobQueue", "status", "statusReason")}
        emit_event("aws.batch", "Batch Job State Change", job["jobArn"], detail)
    changed.notify_all()


def _all_finished(jobs: Iterable[dict[str, Any]]) -> bool:
    return all(job["status"] in FINISHED for job in jobs)


def children_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs of an array, in order; none of any other job."""
    size = job.get("arrayProperties", {}).get("size", 0)
    return [batch._jobs[f"{job['jobId']}:{index}"] for index in range(size)]


def _vcpus(job: dict[str, Any]) -> float:
    needs = {need["type"]: float(need["value"]) for need in job["container"]["resourceRequirements"]}
    return needs.get("VCPU", 1.0)


def _room(queue_arn: str) -> float:
    """How many vCPUs the environments of a queue may have; none if it is gone."""
    queue = batch._job_queues.get(queue_arn.rpartition("/")[2])
    return sum(environment["computeResources"]["maxvCpus"] for environment in environments(queue)) if queue else 0


def environments(queue: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The compute environments of a queue."""
    for order in queue["computeEnvironmentOrder"]:
        yield batch._compute_envs[order["computeEnvironment"].rpartition("/")[2]]
