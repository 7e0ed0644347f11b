"""The jobs of AWS Batch, really run: the emulator itself calls each job succeeded the moment it is submitted.

Real: the order of queues and dependencies (also on an array as a whole), as many jobs at once as the queue's
environments may have vCPUs, `Ref::` parameters and overrides, array children and their index, the job's role, the log,
time-outs, attempts with `evaluateOnExit`, cancelling and terminating. A process that another kills is taken for one
whose host was reclaimed, so `kill -9` shows what Spot does. On paper only: hosts, priorities, sharing between queues,
dependencies between children (N_TO_N, SEQUENTIAL), multi-node jobs.
"""

import json
import threading
from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid, request_scope
from ministack.services import batch

from local.extension import iam_roles
from local.extension.batch_resources import definition, delete_job_queue
from local.extension.batch_scheduler import FINISHED, changed, children_of, environments, run_all, set_status

_NOT_STARTED = ("SUBMITTED", "PENDING", "RUNNABLE")


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
        iam_roles.require_permission(iam_roles.calling_role(), "batch:SubmitJob", queue["jobQueueArn"])
    except PermissionError as error:
        return error_response_json("AccessDeniedException", str(error), 403)
    described = definition(p["jobDefinition"])
    if described is None:
        return _refused(f"JobDefinition {p['jobDefinition']} not found, or not active")
    try:  # of the newest revision, where none is named
        iam_roles.require_permission(iam_roles.calling_role(), "batch:SubmitJob", described["jobDefinitionArn"])
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
    with changed:
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
            run_all(job, children, waited_for)

    threading.Thread(target=run, name=f"job-{job['jobId']}", daemon=True).start()
    return batch._json(200, {"jobId": job["jobId"], "jobName": job["jobName"], "jobArn": job["jobArn"]})


def _unfit(queue: dict[str, Any], described: dict[str, Any]) -> str | None:
    """Why no environment of this queue can run such a job."""
    needed = (described.get("platformCapabilities") or ["EC2"])[0]
    for environment in environments(queue):
        kind = environment["computeResources"]["type"]
        if (needed == "FARGATE") != kind.startswith("FARGATE"):
            return f"A job definition for {needed} cannot run in a queue whose environment is {kind}"
    return None


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


def _describe(p: dict[str, Any]) -> Any:
    with changed:
        found = [_summed(batch._jobs[job_id]) for job_id in p.get("jobs", []) if job_id in batch._jobs]
        return batch._json(200, {"jobs": found})


def _list(p: dict[str, Any]) -> Any:
    """Children of an array, or the jobs of a queue, in the asked status: RUNNING if none is."""
    status = p.get("jobStatus", "RUNNING")
    with changed:
        if "arrayJobId" in p:
            candidates = children_of(batch._jobs.get(p["arrayJobId"], {}))
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
    for child in children_of(job):
        summary[child["status"]] = summary.get(child["status"], 0) + 1
    return job | {"arrayProperties": {**job["arrayProperties"], "statusSummary": summary}}


def _cancel(p: dict[str, Any]) -> Any:
    """End what has not started; a job that runs goes on."""
    with changed:
        for job in _own_or_children(p["jobId"]):
            if job["status"] in _NOT_STARTED:
                job["isCancelled"] = True
                set_status(job, "FAILED", p["reason"])
    return batch._json(200, {})


def _terminate(p: dict[str, Any]) -> Any:
    """End it, whatever it does."""
    with changed:
        for job in _own_or_children(p["jobId"]):
            _end(job, p["reason"])
    return batch._json(200, {})


def _delete_queue(p: dict[str, Any]) -> Any:
    """Delete a queue, and end the jobs in it."""
    answer = delete_job_queue(p)
    with changed:
        for job in batch._jobs.values():
            if "size" in job.get("arrayProperties", {}):
                continue  # ends with its children
            if answer[0] == 200 and job["jobQueue"].rpartition("/")[2] == p["jobQueue"].rpartition("/")[2]:
                _end(job, "The job queue was deleted")
    return answer


def _end(job: dict[str, Any], reason: str) -> None:
    if job["status"] in _NOT_STARTED:
        set_status(job, "FAILED", reason)
    elif job["status"] not in FINISHED:
        job["isTerminated"] = True
        job["statusReason"] = reason


def _own_or_children(job_id: str) -> list[dict[str, Any]]:
    """What runs for a job: itself, or of an array its children."""
    job = batch._jobs.get(job_id)
    return [] if job is None else children_of(job) or [job]


def _refused(message: str) -> Any:
    return error_response_json("ClientException", message, 400)
