"""The jobs of AWS Batch, really run: the emulator itself calls each job succeeded the moment it is submitted.

Real: the order of queues and dependencies (also on an array as a whole), as many jobs at once as the queue's
environments may have vCPUs, `Ref::` parameters and overrides, array children and their index, the job's role, the log,
time-outs, attempts with `evaluateOnExit`, cancelling and terminating. A process that another kills is taken for one
whose host was reclaimed, so `kill -9` shows what Spot does. On paper only: hosts, priorities, sharing between queues,
dependencies between children (N_TO_N, SEQUENTIAL), multi-node jobs.
"""

import fnmatch
import itertools
import json
import secrets
import signal
import threading
import time
from collections.abc import Iterable
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, request_scope
from ministack.services import batch

from local.extension import images, roles
from local.extension.batch_resources import definition, delete_job_queue
from local.extension.events import tell
from local.extension.processes import Process, forward_logs

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 10  # from SIGTERM to SIGKILL; 30 on AWS

_FINISHED = ("SUCCEEDED", "FAILED")
_NOT_STARTED = ("SUBMITTED", "PENDING", "RUNNABLE")

# Guards every job, and tells of every change of one.
_changed = threading.Condition(threading.RLock())

# The running process of a job, by its id.
_processes: dict[str, Process] = {}

# vCPUs in use, by the ARN of the queue.
_used: dict[str, float] = {}


def extend() -> None:
    """Replace the calls that are about jobs."""
    for path in ("/v1/submitjob", "/v1/describejobs", "/v1/listjobs"):
        batch._DISPATCH[path]  # stop early if it is gone
    resource_of = iam_actions.extract_resource_arn

    def resource_of_jobs(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:
        call = path.rstrip("/").lower()
        if service == "batch" and call == "/v1/submitjob":  # and to the queue: see _submit
            return json.loads(body)["jobDefinition"]
        if service == "batch" and call in ("/v1/canceljob", "/v1/terminatejob"):
            return batch._job_arn(json.loads(body)["jobId"])
        return resource_of(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = resource_of_jobs
    batch._DISPATCH |= {
        "/v1/submitjob": _submit,
        "/v1/describejobs": _describe,
        "/v1/listjobs": _list,
        "/v1/canceljob": _cancel,
        "/v1/terminatejob": _terminate,
        "/v1/deletejobqueue": _delete_queue,
    }


def _submit(p: dict[str, Any]) -> Any:
    queue = batch._job_queues.get(p["jobQueue"].rpartition("/")[2])
    if queue is None or queue["state"] != "ENABLED":
        return _refused(f"JobQueue {p['jobQueue']} not found, or disabled")
    try:
        roles.require(roles.caller(), "batch:SubmitJob", queue["jobQueueArn"])
    except PermissionError as error:
        return error_response_json("AccessDeniedException", str(error), 403)
    described = definition(p["jobDefinition"])
    if described is None:
        return _refused(f"JobDefinition {p['jobDefinition']} not found, or not active")
    try:  # of the newest revision, where none is named
        roles.require(roles.caller(), "batch:SubmitJob", described["jobDefinitionArn"])
    except PermissionError as error:
        return error_response_json("AccessDeniedException", str(error), 403)
    if problem := _unfit(queue, described):
        return _refused(problem)
    size = p.get("arrayProperties", {}).get("size")
    if size is not None and not 2 <= size <= 10_000:
        return _refused(f"Array size must be from 2 to 10000, not {size}")
    depends_on = p.get("dependsOn", [])
    for dependency in depends_on:
        if dependency.get("type") or dependency.get("jobId") not in batch._jobs:
            return _refused(f"Dependency {dependency}: not a job that is known, or not a type that is emulated")

    job = _job(new_uuid(), p, queue, described)
    children = []
    with _changed:
        batch._jobs[job["jobId"]] = job
        if size is not None:
            job["arrayProperties"] = {"size": size, "statusSummary": {}}
            for index in range(size):
                child = _job(f"{job['jobId']}:{index}", p, queue, described)
                child["arrayProperties"] = {"index": index}
                batch._jobs[child["jobId"]] = child
                children.append(child)
    account, region = get_account_id(), get_region()
    waited_for = [batch._jobs[dependency["jobId"]] for dependency in depends_on]

    def run() -> None:
        with request_scope(account, region):
            _run_all(job, children, waited_for)

    threading.Thread(target=run, name=f"job-{job['jobId']}", daemon=True).start()
    return batch._json(200, {"jobId": job["jobId"], "jobName": job["jobName"], "jobArn": job["jobArn"]})


def _unfit(queue: dict[str, Any], described: dict[str, Any]) -> str | None:
    """Why no environment of this queue can run such a job."""
    needed = (described.get("platformCapabilities") or ["EC2"])[0]
    for environment in _environments(queue):
        kind = environment["computeResources"]["type"]
        if (needed == "FARGATE") != kind.startswith("FARGATE"):
            return f"A job definition for {needed} cannot run in a queue whose environment is {kind}"
    return None


def _environments(queue: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for order in queue["computeEnvironmentOrder"]:
        yield batch._compute_envs[order["computeEnvironment"].rpartition("/")[2]]


def _job(job_id: str, p: dict[str, Any], queue: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    properties = described["containerProperties"]
    overrides = p.get("containerOverrides", {})
    parameters = {**described.get("parameters", {}), **p.get("parameters", {})}
    environment = {pair["name"]: pair["value"] for pair in properties.get("environment", [])}
    environment |= {pair["name"]: pair["value"] for pair in overrides.get("environment", [])}
    command = overrides.get("command") or properties.get("command", [])
    needs = {need["type"]: need["value"] for need in properties.get("resourceRequirements", [])}
    needs |= {need["type"]: need["value"] for need in overrides.get("resourceRequirements", [])}
    return {
        "jobId": job_id,
        "jobArn": batch._job_arn(job_id),
        "jobName": p["jobName"],
        "jobQueue": queue["jobQueueArn"],
        "jobDefinition": described["jobDefinitionArn"],
        "platformCapabilities": described.get("platformCapabilities") or ["EC2"],
        "status": "SUBMITTED",
        "statusReason": "",
        "createdAt": batch._now_ms(),
        "dependsOn": p.get("dependsOn", []),
        "parameters": parameters,
        "retryStrategy": p.get("retryStrategy") or described.get("retryStrategy") or {"attempts": 1},
        "timeout": p.get("timeout") or described.get("timeout") or {},
        "attempts": [],
        "isCancelled": False,
        "isTerminated": False,
        "tags": p.get("tags", {}),
        "container": {
            "image": properties["image"],
            "command": [_referred(word, parameters) for word in command],
            "jobRoleArn": properties.get("jobRoleArn"),
            "executionRoleArn": properties.get("executionRoleArn"),
            "environment": [{"name": name, "value": value} for name, value in environment.items()],
            "resourceRequirements": [{"type": kind, "value": value} for kind, value in needs.items()],
            "logConfiguration": properties.get("logConfiguration", {}),
        },
    }


def _referred(word: str, parameters: dict[str, str]) -> str:
    """The parameter that a word of the command refers to. An unknown one stays as it is, as on AWS."""
    return parameters.get(word.removeprefix("Ref::"), word) if word.startswith("Ref::") else word


def _run_all(job: dict[str, Any], children: list[dict[str, Any]], waited_for: list[dict[str, Any]]) -> None:
    """From submitted to finished, of a job or of an array and all its children."""
    with _changed:
        for each in (job, *children):
            _set(each, "PENDING")
        _changed.wait_for(
            lambda: _all_finished(waited_for) or _all_finished(children or [job])  # the latter if cancelled
        )
        if any(other["status"] == "FAILED" for other in waited_for):
            for each in (job, *children):
                _set(each, "FAILED", "Dependent Job failed")
            return
    if not children:
        _run(job)
        return
    threads = [threading.Thread(target=_run_in, args=(get_account_id(), get_region(), child)) for child in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with _changed:
        failed = [child for child in children if child["status"] == "FAILED"]
        _set(job, "FAILED" if failed else "SUCCEEDED", "Array Child Job failed" if failed else "")


def _run_in(account: str, region: str, job: dict[str, Any]) -> None:
    with request_scope(account, region):
        _run(job)


def _run(job: dict[str, Any]) -> None:
    """Wait for vCPUs and do all attempts of one job."""
    queue, vcpus = job["jobQueue"], _vcpus(job)
    for attempt in itertools.count(1):
        with _changed:
            _set(job, "RUNNABLE")
            _changed.wait_for(lambda: job["status"] == "FAILED" or _used.get(queue, 0) + vcpus <= _room(queue))
            if job["status"] == "FAILED":
                return
            _used[queue] = _used.get(queue, 0) + vcpus
            _set(job, "STARTING")
        try:
            ended = _attempt(job, attempt)
        finally:
            with _changed:
                _used[queue] -= vcpus
                _changed.notify_all()
        with _changed:
            job["attempts"].append(ended)
            job["container"] |= ended["container"]
            again = attempt < job["retryStrategy"].get("attempts", 1) and _retries(job, ended)
            if job["isTerminated"] or ended["container"].get("exitCode") == 0 or not again:
                succeeded = ended["container"].get("exitCode") == 0 and not job["isTerminated"]
                _set(job, "SUCCEEDED" if succeeded else "FAILED", ended["statusReason"])
                return


def _attempt(job: dict[str, Any], number: int) -> dict[str, Any]:
    """Run the program once, and return how it ended."""
    container: dict[str, Any] = {}
    ended = {"container": container, "startedAt": batch._now_ms(), "statusReason": "Essential container in task exited"}
    try:
        process = _start(job, number, container)
    except (images.ImageNotFound, OSError, LookupError) as error:
        container["reason"] = f"CannotStartContainerError: {error}"
        return ended | {"stoppedAt": batch._now_ms(), "statusReason": "Task failed to start"}
    with _changed:
        _processes[job["jobId"]] = process
        job["startedAt"] = batch._now_ms()
        _set(job, "RUNNING")
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
    with _changed:
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
        images.pull(described["image"], execution_role),
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


def _describe(p: dict[str, Any]) -> Any:
    with _changed:
        found = [_summed(batch._jobs[job_id]) for job_id in p.get("jobs", []) if job_id in batch._jobs]
        return batch._json(200, {"jobs": found})


def _list(p: dict[str, Any]) -> Any:
    """Children of an array, or the jobs of a queue, in the asked status: RUNNING if none is."""
    status = p.get("jobStatus", "RUNNING")
    with _changed:
        if "arrayJobId" in p:
            candidates = _children(batch._jobs.get(p["arrayJobId"], {}))
        else:
            jobs = [job for job_id, job in batch._jobs.items() if ":" not in job_id]
            candidates = [job for job in jobs if job["jobQueue"].endswith(p.get("jobQueue", ""))]
        found = [{name: job[name] for name in _SUMMARY if name in job} for job in candidates if job["status"] == status]
        return batch._json(200, {"jobSummaryList": found})


_SUMMARY = (
    "jobId", "jobArn", "jobName", "status", "statusReason", "createdAt", "startedAt", "stoppedAt", "arrayProperties",
)  # fmt: skip


def _summed(job: dict[str, Any]) -> dict[str, Any]:
    """The job, and of an array how many children are in which status."""
    if "size" not in job.get("arrayProperties", {}):
        return job
    summary: dict[str, int] = {}
    for child in _children(job):
        summary[child["status"]] = summary.get(child["status"], 0) + 1
    return job | {"arrayProperties": {**job["arrayProperties"], "statusSummary": summary}}


def _cancel(p: dict[str, Any]) -> Any:
    """End what has not started; a job that runs goes on."""
    with _changed:
        for job in _own_or_children(p["jobId"]):
            if job["status"] in _NOT_STARTED:
                job["isCancelled"] = True
                _set(job, "FAILED", p["reason"])
    return batch._json(200, {})


def _terminate(p: dict[str, Any]) -> Any:
    """End it, whatever it does."""
    with _changed:
        for job in _own_or_children(p["jobId"]):
            _end(job, p["reason"])
    return batch._json(200, {})


def _delete_queue(p: dict[str, Any]) -> Any:
    """Delete a queue, and end the jobs in it."""
    answer = delete_job_queue(p)
    with _changed:
        for job in batch._jobs.values():
            if "size" in job.get("arrayProperties", {}):
                continue  # ends with its children
            if answer[0] == 200 and job["jobQueue"].rpartition("/")[2] == p["jobQueue"].rpartition("/")[2]:
                _end(job, "The job queue was deleted")
    return answer


def _end(job: dict[str, Any], reason: str) -> None:
    if job["status"] in _NOT_STARTED:
        _set(job, "FAILED", reason)
    elif job["status"] not in _FINISHED:
        job["isTerminated"] = True
        job["statusReason"] = reason


def _own_or_children(job_id: str) -> list[dict[str, Any]]:
    """What runs for a job: itself, or of an array its children."""
    job = batch._jobs.get(job_id)
    return [] if job is None else _children(job) or [job]


def _all_finished(jobs: Iterable[dict[str, Any]]) -> bool:
    return all(job["status"] in _FINISHED for job in jobs)


def _children(job: dict[str, Any]) -> list[dict[str, Any]]:
    size = job.get("arrayProperties", {}).get("size", 0)
    return [batch._jobs[f"{job['jobId']}:{index}"] for index in range(size)]


def _set(job: dict[str, Any], status: str, reason: str = "") -> None:
    """Change a job's status, unless it is finished. Hold the lock."""
    if job["status"] in _FINISHED:
        return
    job["status"] = status
    if status in _FINISHED:
        job["stoppedAt"] = batch._now_ms()
        job["statusReason"] = reason
    if status == "FAILED":
        detail = {name: job[name] for name in ("jobArn", "jobName", "jobId", "jobQueue", "status", "statusReason")}
        tell("aws.batch", "Batch Job State Change", job["jobArn"], detail)
    _changed.notify_all()


def _vcpus(job: dict[str, Any]) -> float:
    needs = {need["type"]: float(need["value"]) for need in job["container"]["resourceRequirements"]}
    return needs.get("VCPU", 1.0)


def _room(queue_arn: str) -> float:
    """How many vCPUs the environments of a queue may have; none if it is gone."""
    queue = batch._job_queues.get(queue_arn.rpartition("/")[2])
    return sum(environment["computeResources"]["maxvCpus"] for environment in _environments(queue)) if queue else 0


def _refused(message: str) -> Any:
    return error_response_json("ClientException", message, 400)
