"""AWS Batch jobs: the API. The emulator itself reports each job as SUCCEEDED when it is submitted.

Emulated: job queues, dependencies (also on an array job), parallel jobs up to the vCPUs of the compute environments,
`Ref::` parameters and overrides, array jobs, job roles, logs, time-outs, attempts with `evaluateOnExit`, cancellation,
and termination. A job whose process receives SIGKILL from outside counts as a reclaimed Spot instance, so `kill -9`
tests an interruption. Not emulated: instances, scheduling priorities, environments shared by queues, dependencies
between children (N_TO_N, SEQUENTIAL), and multi-node jobs.
"""

import re
import threading
from collections import Counter
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, request_scope
from ministack.services import batch

from local.extension import iam_roles
from local.extension.batch_resources import client_error, delete_job_queue, find_definition, last_part
from local.extension.batch_scheduler import FINISHED, children_of, environments, job_changed, run_jobs, set_status

_NOT_STARTED = ("SUBMITTED", "PENDING", "RUNNABLE")
_SUMMARY = (
    "jobId", "jobArn", "jobName", "jobDefinition", "status", "statusReason", "createdAt", "startedAt", "stoppedAt",
    "arrayProperties",
)  # fmt: skip


def extend() -> None:
    """Replace the API calls for jobs."""
    batch._DISPATCH |= {
        "/v1/submitjob": _submit,
        "/v1/describejobs": _describe,
        "/v1/listjobs": _list,
        "/v1/canceljob": _cancel,
        "/v1/terminatejob": _terminate,
        "/v1/deletejobqueue": _delete_queue,
    }


def _submit(p: dict[str, Any]) -> Any:
    try:
        queue, definition, dependencies = _validate(p)
    except PermissionError as error:
        return error_response_json("AccessDeniedException", str(error), 403)
    except ValueError as error:
        return client_error(str(error))
    job = _job(new_uuid(), p, queue, definition)
    children = []
    with job_changed:
        batch._jobs[job["jobId"]] = job
        if size := p.get("arrayProperties", {}).get("size"):
            job["arrayProperties"] = {"size": size, "statusSummary": {}}
            for index in range(size):
                child = _job(f"{job['jobId']}:{index}", p, queue, definition)
                child["arrayProperties"] = {"index": index}
                batch._jobs[child["jobId"]] = child
                children.append(child)
    account, region = get_account_id(), get_region()

    def run() -> None:
        with request_scope(account, region):
            run_jobs(job, children, dependencies)

    threading.Thread(target=run, name=f"job-{job['jobId']}", daemon=True).start()
    return batch._json(200, {"jobId": job["jobId"], "jobName": job["jobName"], "jobArn": job["jobArn"]})


def _validate(p: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Validate a SubmitJob request, and return the queue, the definition, and the dependencies of the job.

    Raises:
        PermissionError: The caller is not allowed to submit the job.
        ValueError: The request is invalid.
    """
    queue = batch._job_queues.get(last_part(p["jobQueue"]))
    if queue is None or queue["state"] != "ENABLED":
        raise ValueError(f"JobQueue {p['jobQueue']} not found, or disabled")
    iam_roles.require_permission(iam_roles.calling_role(), "batch:SubmitJob", queue["jobQueueArn"])
    definition = find_definition(p["jobDefinition"])
    if definition is None:
        raise ValueError(f"JobDefinition {p['jobDefinition']} not found, or not active")
    # A request without a revision needs the permission for the latest one.
    iam_roles.require_permission(iam_roles.calling_role(), "batch:SubmitJob", definition["jobDefinitionArn"])
    platform = _platform(definition)
    for environment in environments(queue):
        kind = environment["computeResources"]["type"]
        if (platform == "FARGATE") != kind.startswith("FARGATE"):
            raise ValueError(f"A job definition for {platform} cannot run in a queue whose environment is {kind}")
    size = p.get("arrayProperties", {}).get("size")
    if size is not None and not 2 <= size <= 10_000:
        raise ValueError(f"Array size must be from 2 to 10000, not {size}")
    depends_on = p.get("dependsOn", [])
    for dependency in depends_on:
        if dependency.get("type") or dependency.get("jobId") not in batch._jobs:
            raise ValueError(f"Dependency {dependency}: unknown job, or a type that is not emulated")
    return queue, definition, [batch._jobs[dependency["jobId"]] for dependency in depends_on]


def _platform(definition: dict[str, Any]) -> str:
    return str((definition.get("platformCapabilities") or ["EC2"])[0])


def _job(job_id: str, p: dict[str, Any], queue: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    properties = definition["containerProperties"]
    overrides = p.get("containerOverrides", {})
    parameters = {**definition.get("parameters", {}), **p.get("parameters", {})}
    environment = {pair["name"]: pair for source in (properties, overrides) for pair in source.get("environment", [])}
    resources = {
        need["type"]: need for source in (properties, overrides) for need in source.get("resourceRequirements", [])
    }
    command = overrides.get("command") or properties.get("command", [])
    return {
        "jobId": job_id,
        "jobArn": batch._job_arn(job_id),
        "jobName": p["jobName"],
        "jobQueue": queue["jobQueueArn"],
        "jobDefinition": definition["jobDefinitionArn"],
        "platformCapabilities": [_platform(definition)],
        "status": "SUBMITTED",
        "statusReason": "",
        "createdAt": batch._now_ms(),
        "dependsOn": p.get("dependsOn", []),
        "parameters": parameters,
        "retryStrategy": p.get("retryStrategy") or definition.get("retryStrategy") or {"attempts": 1},
        "timeout": p.get("timeout") or definition.get("timeout") or {},
        "attempts": [],
        "isCancelled": False,
        "isTerminated": False,
        "tags": p.get("tags", {}),
        "container": {
            "image": properties["image"],
            "command": [_substitute(word, parameters) for word in command],
            "jobRoleArn": properties.get("jobRoleArn"),
            "executionRoleArn": properties.get("executionRoleArn"),
            "environment": [*environment.values()],
            "resourceRequirements": [*resources.values()],
            "logConfiguration": properties.get("logConfiguration", {}),
        },
    }


def _substitute(word: str, parameters: dict[str, str]) -> str:
    """Replace a word `Ref::name` by the parameter. Like AWS, keep the word if the parameter does not exist."""
    return parameters.get(word.removeprefix("Ref::"), word) if word.startswith("Ref::") else word


def _describe(p: dict[str, Any]) -> Any:
    with job_changed:
        jobs = [batch._jobs[job_id] for job_id in p.get("jobs", []) if job_id in batch._jobs]
        return batch._json(200, {"jobs": [_with_status_summary(job) for job in jobs]})


def _list(p: dict[str, Any]) -> Any:
    """List the children of an array job or the jobs of a queue.

    They have the requested status (by default RUNNING) or, with the filter JOB_DEFINITION, any status and a definition
    of this name. Other filters are not emulated.
    """
    status, definition = p.get("jobStatus", "RUNNING"), ""
    if filters := p.get("filters"):
        [(name, [definition])] = [(it["name"], it["values"]) for it in filters]
        if name != "JOB_DEFINITION" or re.search("[:/*]", definition):
            return client_error(f"Filter {name} by {definition}: not emulated")
    with job_changed:
        if "arrayJobId" in p:
            candidates = children_of(batch._jobs.get(p["arrayJobId"], {}))
        else:
            jobs = [job for job_id, job in batch._jobs.items() if ":" not in job_id]
            candidates = [job for job in jobs if job["jobQueue"].endswith(p.get("jobQueue", ""))]
        found = [
            job
            for job in candidates
            if (_definition_name(job) == definition if definition else job["status"] == status)
        ]
        summaries = [{name: job[name] for name in _SUMMARY if name in job} for job in found]
        return batch._json(200, {"jobSummaryList": summaries})


def _definition_name(job: dict[str, Any]) -> str:
    return str(last_part(job["jobDefinition"]).partition(":")[0])


def _with_status_summary(job: dict[str, Any]) -> dict[str, Any]:
    if not (children := children_of(job)):
        return job
    summary = Counter(child["status"] for child in children)
    return job | {"arrayProperties": {**job["arrayProperties"], "statusSummary": summary}}


def _cancel(p: dict[str, Any]) -> Any:
    """Fail the jobs that have not started. A running job continues."""
    with job_changed:
        for job in _self_or_children(batch._jobs.get(p["jobId"])):
            if job["status"] in _NOT_STARTED:
                job["isCancelled"] = True
                set_status(job, "FAILED", p["reason"])
    return batch._json(200, {})


def _terminate(p: dict[str, Any]) -> Any:
    """Fail the jobs that have not started and stop those that run."""
    with job_changed:
        for job in _self_or_children(batch._jobs.get(p["jobId"])):
            _end(job, p["reason"])
    return batch._json(200, {})


def _delete_queue(p: dict[str, Any]) -> Any:
    """Delete a queue and end its jobs."""
    answer = delete_job_queue(p)
    with job_changed:
        for job in batch._jobs.values():
            if children_of(job):
                continue  # ends with its children
            if answer[0] == 200 and last_part(job["jobQueue"]) == last_part(p["jobQueue"]):
                _end(job, "The job queue was deleted")
    return answer


def _end(job: dict[str, Any], reason: str) -> None:
    if job["status"] in _NOT_STARTED:
        set_status(job, "FAILED", reason)
    elif job["status"] not in FINISHED:
        job["isTerminated"] = True
        job["statusReason"] = reason


def _self_or_children(job: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the jobs that have a process: the children of an array job, or the job itself."""
    return [] if job is None else children_of(job) or [job]
