"""AWS Batch in CloudFormation: compute environments, job queues, and job definitions.

The emulator has only the API. Emulated: names, types, and required properties, as the API's model defines them; a
compute environment that a queue uses cannot be deleted; a changed environment is replaced; a changed definition is a
new revision. Not emulated: instances. Jobs run on this machine (see `batch_jobs.py`).
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import batch

from local.extension.cloudformation import Properties, call, input_shape, register

# Properties that are not parameters of the calls that create the resources.
_TEMPLATE_ONLY = {"ReplaceComputeEnvironment", "UpdatePolicy", "SkipDeregisterOnUpdate"}


def extend() -> None:
    """Register the resource types, and the API calls that the emulator lacks."""
    batch._DISPATCH |= {
        "/v1/updatejobqueue": _update_job_queue,
        "/v1/deletecomputeenvironment": _delete_compute_environment,
        "/v1/deregisterjobdefinition": _deregister_job_definition,
        "/v1/registerjobdefinition": _register_job_definition,
        "/v1/describejobdefinitions": _describe_job_definitions,
    }
    register(
        "AWS::Batch::ComputeEnvironment",
        create=_creator("CreateComputeEnvironment", "ComputeEnvironment"),
        delete=_deleter("ComputeEnvironment"),
        # Every property that the stacks use except tags, because of `ReplaceComputeEnvironment`.
        replaced_by=["ComputeResources", "ServiceRole", "Type"],
    )
    register(
        "AWS::Batch::JobQueue",
        create=_creator("CreateJobQueue", "JobQueue"),
        update=_update_queue_resource,
        delete=_deleter("JobQueue"),
    )
    register(
        "AWS::Batch::JobDefinition",
        create=_creator("RegisterJobDefinition", "JobDefinition"),
        delete=lambda arn, props: call("batch", "DeregisterJobDefinition", {"JobDefinition": arn}),
        replaced_by=[f"{name[0].upper()}{name[1:]}" for name in input_shape("batch", "RegisterJobDefinition").members],
    )


def find_definition(reference: str) -> dict[str, Any] | None:
    """Return the active job definition with this ARN, `name:revision`, or `name` (the latest revision)."""
    name, _, revision = reference.rpartition("job-definition/")[2].partition(":")
    active = [
        found
        for found in batch._job_definitions.get(name) or []
        if found["status"] == "ACTIVE" and revision in ("", str(found["revision"]))
    ]
    return active[-1] if active else None


def last_part(reference: str) -> str:
    """Return the name in an ARN, or the name itself."""
    return reference.rpartition("/")[2]


def client_error(message: str) -> Any:
    """Return the response to a request that Batch rejects."""
    return error_response_json("ClientException", message, 400)


def _creator(operation: str, kind: str) -> Callable[[str, Properties], tuple[str, Properties]]:
    def create(name: str, props: Properties) -> tuple[str, Properties]:
        parameters = {key: value for key, value in props.items() if key not in _TEMPLATE_ONLY}
        if kind != "JobQueue":  # templates may use any case
            parameters["Type"] = props["Type"].upper() if kind == "ComputeEnvironment" else props["Type"].lower()
        answer = call("batch", operation, {f"{kind}Name": name, **parameters})
        arn = answer[f"{kind[0].lower()}{kind[1:]}Arn"]
        return arn, {f"{kind}Arn": arn}

    return create


def _update_queue_resource(arn: str, props: Properties) -> Properties:
    changeable = {key: value for key, value in props.items() if key not in ("JobQueueName", "Tags")}
    call("batch", "UpdateJobQueue", {**changeable, "JobQueue": arn})
    return {"JobQueueArn": arn}


def _deleter(kind: str) -> Callable[[str, Properties], None]:
    def delete(arn: str, props: Properties) -> None:
        call("batch", f"Update{kind}", {kind: arn, "State": "DISABLED"})
        call("batch", f"Delete{kind}", {kind: arn})

    return delete


def _update_job_queue(p: dict[str, Any]) -> Any:
    queue = batch._job_queues.get(last_part(p["jobQueue"]))
    if queue is None:
        return client_error(f"Object does not exist: {p['jobQueue']}")
    queue.update({key: value for key, value in p.items() if key != "jobQueue"})
    return batch._json(200, {"jobQueueName": queue["jobQueueName"], "jobQueueArn": queue["jobQueueArn"]})


def delete_job_queue(p: dict[str, Any]) -> Any:
    """Implement DeleteJobQueue, except for the jobs in the queue."""
    queue = batch._job_queues.get(last_part(p["jobQueue"]))
    if queue is not None:
        if queue["state"] != "DISABLED":
            return client_error("Cannot delete, resource is being used: the job queue is not disabled")
        del batch._job_queues[queue["jobQueueName"]]
    return batch._json(200, {})


def _delete_compute_environment(p: dict[str, Any]) -> Any:
    environment = batch._compute_envs.get(last_part(p["computeEnvironment"]))
    if environment is not None:
        used = {
            last_part(order["computeEnvironment"])
            for queue in batch._job_queues.values()
            for order in queue["computeEnvironmentOrder"]
        }
        if environment["computeEnvironmentName"] in used:
            return client_error("Cannot delete, found existing JobQueue relationship")
        if environment["state"] != "DISABLED":
            return client_error("Cannot delete, the compute environment is not disabled")
        del batch._compute_envs[environment["computeEnvironmentName"]]
    return batch._json(200, {})


def _register_job_definition(p: dict[str, Any]) -> Any:
    answer = batch._register_job_definition(p)
    if answer[0] == 200:
        # The emulator itself keeps only some of the properties.
        batch._job_definitions[p["jobDefinitionName"]][-1].update(p)
    return answer


def _describe_job_definitions(p: dict[str, Any]) -> Any:
    requested = {last_part(reference) for reference in p.get("jobDefinitions", [])}
    found = [
        revision
        for name, revisions in batch._job_definitions.items()
        for revision in revisions
        if p.get("status") in (None, revision["status"])
        and p.get("jobDefinitionName") in (None, name)
        and (not requested or {name, f"{name}:{revision['revision']}"} & requested)
    ]
    return batch._json(200, {"jobDefinitions": found})


def _deregister_job_definition(p: dict[str, Any]) -> Any:
    found = find_definition(p["jobDefinition"])
    if found is not None:
        found["status"] = "INACTIVE"
    return batch._json(200, {})
