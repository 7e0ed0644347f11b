"""AWS Batch jobs: scheduling and attempts. `batch_jobs.py` describes what is emulated."""

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

from local.extension.batch_resources import last_part
from local.extension.container_images import pull
from local.extension.container_processes import Process, forward_logs
from local.extension.measurements import watch
from local.extension.service_events import emit_event

_POLL_SECONDS = 0.1
_STOP_TIMEOUT_SECONDS = 10  # from SIGTERM to SIGKILL; 30 s on AWS

FINISHED = ("SUCCEEDED", "FAILED")

# Guards all jobs, and notifies of each change of a job.
job_changed = threading.Condition(threading.RLock())

# vCPUs in use, by the ARN of the queue.
_used_vcpus: dict[str, float] = {}


def run_jobs(job: dict[str, Any], children: list[dict[str, Any]], dependencies: list[dict[str, Any]]) -> None:
    """Run a job, or an array job and its children, until it is finished."""
    jobs = [job, *children]
    with job_changed:
        for each in jobs:
            set_status(each, "PENDING")
        job_changed.wait_for(  # a canceled job does not wait
            lambda: _are_finished(dependencies) or _are_finished(children or [job])
        )
        if any(dependency["status"] == "FAILED" for dependency in dependencies):
            for each in jobs:
                set_status(each, "FAILED", "Dependent Job failed")
            return
    if not children:
        _run(job)
        return
    scope = (get_account_id(), get_region())
    threads = [threading.Thread(target=_run_in_scope, args=(scope, child)) for child in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with job_changed:
        failed = any(child["status"] == "FAILED" for child in children)
        set_status(job, "FAILED" if failed else "SUCCEEDED", "Array Child Job failed" if failed else "")


def _run_in_scope(scope: tuple[str, str], job: dict[str, Any]) -> None:
    with request_scope(*scope):
        _run(job)


def _run(job: dict[str, Any]) -> None:
    """Wait for vCPUs and make all attempts of one job."""
    queue, vcpus = job["jobQueue"], _vcpus(job)
    for number in itertools.count(1):
        with job_changed:
            set_status(job, "RUNNABLE")
            job_changed.wait_for(
                lambda: job["status"] == "FAILED" or _used_vcpus.get(queue, 0) + vcpus <= _max_vcpus(queue)
            )
            if job["status"] == "FAILED":
                return
            _used_vcpus[queue] = _used_vcpus.get(queue, 0) + vcpus
            set_status(job, "STARTING")
        try:
            attempt = _attempt(job, number)
        finally:
            with job_changed:
                _used_vcpus[queue] -= vcpus
                job_changed.notify_all()
        with job_changed:
            job["attempts"].append(attempt)
            job["container"] |= attempt["container"]
            succeeded = attempt["container"].get("exitCode") == 0 and not job["isTerminated"]
            can_retry = number < job["retryStrategy"].get("attempts", 1) and not job["isTerminated"]
            if succeeded or not can_retry or not _should_retry(job, attempt):
                set_status(job, "SUCCEEDED" if succeeded else "FAILED", attempt["statusReason"])
                return


def _attempt(job: dict[str, Any], number: int) -> dict[str, Any]:
    """Run the program once and return the attempt."""
    container: dict[str, Any] = {}
    attempt = {
        "container": container,
        "startedAt": batch._now_ms(),
        "statusReason": "Essential container in task exited",
    }
    try:
        process = _start(job, number, container)
    except (OSError, LookupError) as error:
        container["reason"] = f"CannotStartContainerError: {error}"
        return attempt | {"stoppedAt": batch._now_ms(), "statusReason": "Task failed to start"}
    with job_changed:
        job["startedAt"] = batch._now_ms()
        set_status(job, "RUNNING")
    seconds = job["timeout"].get("attemptDurationSeconds")
    deadline = time.monotonic() + seconds if seconds else None
    while process.running:
        timed_out = deadline is not None and time.monotonic() > deadline
        if timed_out or job["isTerminated"]:
            container["exitCode"] = process.stop(_STOP_TIMEOUT_SECONDS)
            terminated = job["isTerminated"]
            attempt["statusReason"] = job["statusReason"] if terminated else "Job attempt duration exceeded timeout"
            job["isTerminated"] = True  # like AWS, no retry after a time-out
            break
        time.sleep(_POLL_SECONDS)
    else:
        container["exitCode"] = process.wait()
        if container["exitCode"] == 128 + signal.SIGKILL and "EC2" in job["platformCapabilities"]:
            del container["exitCode"]
            attempt["statusReason"] = f"Host EC2 (instance i-{secrets.token_hex(9)[:17]}) terminated."
    return attempt | {"stoppedAt": batch._now_ms()}


def _start(job: dict[str, Any], number: int, container: dict[str, Any]) -> Process:
    requested = job["container"]
    environment = {pair["name"]: pair["value"] for pair in requested["environment"]}
    environment |= {"AWS_BATCH_JOB_ID": job["jobId"], "AWS_BATCH_JOB_ATTEMPT": str(number)}
    environment["AWS_BATCH_JQ_NAME"] = last_part(job["jobQueue"])
    if "index" in job.get("arrayProperties", {}):
        environment["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job["arrayProperties"]["index"])
    execution_role = requested["executionRoleArn"]
    process = Process(
        pull(requested["image"], execution_role),
        arguments=requested["command"],
        environment=environment,
        role_arn=requested["jobRoleArn"],
    )
    options = requested["logConfiguration"].get("options", {})
    definition = last_part(job["jobDefinition"]).partition(":")[0]
    watch("job", definition, requested["jobRoleArn"], process)
    prefix = options.get("awslogs-stream-prefix", definition)
    container["logStreamName"] = requested["logStreamName"] = f"{prefix}/default/{process.id[:32]}"
    try:
        group = options.get("awslogs-group", "/aws/batch/job")
        forward_logs(process, group, container["logStreamName"], execution_role)
    except (LookupError, PermissionError):
        process.stop(0)
        raise
    return process


def _should_retry(job: dict[str, Any], attempt: dict[str, Any]) -> bool:
    """Apply `evaluateOnExit`: the first rule whose patterns all match decides. Without a match, Batch retries."""
    container = attempt["container"]
    values = {
        "onStatusReason": attempt["statusReason"],
        "onReason": container.get("reason", ""),
        "onExitCode": str(container.get("exitCode", "")),
    }
    for rule in job["retryStrategy"].get("evaluateOnExit", []):
        if all(fnmatch.fnmatchcase(values[name], rule[name]) for name in values if name in rule):
            return bool(rule["action"].upper() == "RETRY")
    return True


def set_status(job: dict[str, Any], status: str, reason: str = "") -> None:
    """Change the status of a job that is not finished. The caller holds `job_changed`."""
    if job["status"] in FINISHED:
        return
    job["status"] = status
    if status in FINISHED:
        job["stoppedAt"] = batch._now_ms()
        job["statusReason"] = reason
    if status == "FAILED":
        detail = {name: job[name] for name in ("jobArn", "jobName", "jobId", "jobQueue", "status", "statusReason")}
        emit_event("aws.batch", "Batch Job State Change", job["jobArn"], detail)
    job_changed.notify_all()


def _are_finished(jobs: Iterable[dict[str, Any]]) -> bool:
    return all(job["status"] in FINISHED for job in jobs)


def children_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the children of an array job in order, and none of any other job."""
    size = job.get("arrayProperties", {}).get("size", 0)
    return [batch._jobs[f"{job['jobId']}:{index}"] for index in range(size)]


def _vcpus(job: dict[str, Any]) -> float:
    resources = {need["type"]: float(need["value"]) for need in job["container"]["resourceRequirements"]}
    return resources.get("VCPU", 1.0)


def _max_vcpus(queue_arn: str) -> float:
    """Return the sum of the vCPUs of the queue's environments, or 0 if the queue is deleted."""
    queue = batch._job_queues.get(last_part(queue_arn))
    return sum(environment["computeResources"]["maxvCpus"] for environment in environments(queue)) if queue else 0


def environments(queue: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Yield the compute environments of a queue."""
    for order in queue["computeEnvironmentOrder"]:
        yield batch._compute_envs[last_part(order["computeEnvironment"])]
