"""AWS Batch by CloudFormation: compute environments, queues and job definitions, which the emulator has as an API only.

Real: names, types and required properties as the API's own model has them; an environment that a queue uses cannot be
deleted; a changed environment is replaced, a changed definition is a new revision. On paper only: hosts. Jobs run on
this machine, as many at once as an environment may have vCPUs (see `batch_jobs.py`).
"""

import functools
import json
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore import model, validate
from ministack.core.responses import error_response_json
from ministack.services import batch
from ministack.services.cloudformation.provisioners import (
    _REPLACING_PROPERTIES,
    _RESOURCE_HANDLERS,
    _physical_name,
)

# What these types have beyond the calls that they are made by.
_NOT_IN_CREATE = {"ReplaceComputeEnvironment", "UpdatePolicy", "SkipDeregisterOnUpdate"}


def extend() -> None:
    """Register the three types, and the calls that deleting and updating them needs."""
    batch._DISPATCH |= {
        "/v1/updatejobqueue": _update_job_queue,
        "/v1/deletecomputeenvironment": _delete_compute_environment,
        "/v1/deregisterjobdefinition": _deregister_job_definition,
        "/v1/registerjobdefinition": _register_job_definition,
        "/v1/describejobdefinitions": _describe_job_definitions,
    }
    _RESOURCE_HANDLERS["AWS::Batch::ComputeEnvironment"] = {
        "create": _created("CreateComputeEnvironment", "ComputeEnvironment"),
        "delete": _deleted("ComputeEnvironment"),
    }
    _RESOURCE_HANDLERS["AWS::Batch::JobQueue"] = {
        "create": _created("CreateJobQueue", "JobQueue"),
        "update": _update_queue,
        "delete": _deleted("JobQueue"),
    }
    _RESOURCE_HANDLERS["AWS::Batch::JobDefinition"] = {
        "create": _created("RegisterJobDefinition", "JobDefinition"),
        "delete": lambda arn, props: _call("DeregisterJobDefinition", {"JobDefinition": arn}),
    }
    # All that ours have but tags: with ReplaceComputeEnvironment that is what a change of them means.
    _REPLACING_PROPERTIES["AWS::Batch::ComputeEnvironment"] = ("ComputeResources", "ServiceRole", "Type")
    _REPLACING_PROPERTIES["AWS::Batch::JobDefinition"] = tuple(
        f"{name[0].upper()}{name[1:]}" for name in _shape("RegisterJobDefinition").members
    )


def definition(reference: str) -> dict[str, Any] | None:
    """The job definition of this ARN, `name:revision`, or `name` (its newest active revision)."""
    name, _, revision = reference.rpartition("job-definition/")[2].partition(":")
    active = [
        found
        for found in batch._job_definitions.get(name) or []
        if found["status"] == "ACTIVE" and revision in ("", str(found["revision"]))
    ]
    return active[-1] if active else None


def _created(operation: str, kind: str) -> Callable[[str, dict[str, Any], str], tuple[str, dict[str, Any]]]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        name = props.get(f"{kind}Name") or _physical_name(stack_name, logical_id, max_len=128)
        given = {key: value for key, value in props.items() if key not in _NOT_IN_CREATE}
        if kind != "JobQueue":
            given["Type"] = given["Type"].upper() if kind == "ComputeEnvironment" else given["Type"].lower()
        answer = _call(operation, {**given, f"{kind}Name": name})
        arn = answer[f"{kind[0].lower()}{kind[1:]}Arn"]
        return arn, {f"{kind}Arn": arn}

    return create


def _update_queue(arn: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    changed = {key: value for key, value in new.items() if key not in ("JobQueueName", "Tags")}
    _call("UpdateJobQueue", {**changed, "JobQueue": arn})
    return arn, {"JobQueueArn": arn}


def _deleted(kind: str) -> Callable[[str, dict[str, Any]], None]:
    def delete(arn: str, props: dict[str, Any]) -> None:
        _call(f"Update{kind}", {kind: arn, "State": "DISABLED"})
        _call(f"Delete{kind}", {kind: arn})

    return delete


@functools.cache
def _service() -> model.ServiceModel:
    return botocore.session.get_session().get_service_model("batch")


def _shape(operation: str) -> Any:
    return _service().operation_model(operation).input_shape


def _call(operation: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Do what this call of the API does, within this process. Raises ValueError for what it refuses."""
    shape = _shape(operation)
    parameters = _parameters(properties, shape, operation)
    problems = validate.ParamValidator().validate(parameters, shape)
    if problems.has_errors():
        raise ValueError(f"{operation}: {problems.generate_report()}")
    status, _, body = batch._DISPATCH[f"/v1/{operation.lower()}"](parameters)
    answer: dict[str, Any] = json.loads(body)
    if status != 200:
        raise ValueError(answer.get("message") or answer)
    return answer


def _parameters(value: Any, shape: Any, where: str) -> Any:
    """Properties of a template as the API takes them: other capitals, and types where a template may have text."""
    if shape.type_name == "structure":
        members = {name.lower(): name for name in shape.members}
        unknown = [name for name in value if name.lower() not in members]
        if unknown:
            raise ValueError(f"{where}: unknown property {', '.join(unknown)}")
        names = {name: members[name.lower()] for name in value}
        return {
            names[name]: _parameters(inner, shape.members[names[name]], f"{where}.{name}")
            for name, inner in value.items()
        }
    if shape.type_name == "list":
        return [_parameters(inner, shape.member, where) for inner in value]
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    if shape.type_name in ("integer", "long"):
        return int(value)
    return str(value) if shape.type_name == "string" else value


def _update_job_queue(p: dict[str, Any]) -> Any:
    queue = batch._job_queues.get(_name(p["jobQueue"]))
    if queue is None:
        return _refused(f"Object does not exist: {p['jobQueue']}")
    queue.update({key: value for key, value in p.items() if key != "jobQueue"})
    return batch._json(200, {"jobQueueName": queue["jobQueueName"], "jobQueueArn": queue["jobQueueArn"]})


def delete_job_queue(p: dict[str, Any]) -> Any:
    """What the call DeleteJobQueue does to the queue itself."""
    queue = batch._job_queues.get(_name(p["jobQueue"]))
    if queue is not None:
        if queue["state"] != "DISABLED":
            return _refused("Cannot delete, resource is being used: the job queue is not disabled")
        del batch._job_queues[queue["jobQueueName"]]
    return batch._json(200, {})


def _delete_compute_environment(p: dict[str, Any]) -> Any:
    environment = batch._compute_envs.get(_name(p["computeEnvironment"]))
    if environment is not None:
        own = {environment["computeEnvironmentArn"], environment["computeEnvironmentName"]}
        if any(
            order["computeEnvironment"] in own
            for queue in batch._job_queues.values()
            for order in queue["computeEnvironmentOrder"]
        ):
            return _refused("Cannot delete, found existing JobQueue relationship")
        if environment["state"] != "DISABLED":
            return _refused("Cannot delete, the compute environment is not disabled")
        del batch._compute_envs[environment["computeEnvironmentName"]]
    return batch._json(200, {})


def _register_job_definition(p: dict[str, Any]) -> Any:
    answer = batch._register_job_definition(p)
    if answer[0] == 200:
        # The emulator keeps a few of the properties.
        batch._job_definitions[p["jobDefinitionName"]][-1].update(p)
    return answer


def _describe_job_definitions(p: dict[str, Any]) -> Any:
    asked = {ref.rpartition("job-definition/")[2] for ref in p.get("jobDefinitions", [])}
    found = [
        revision
        for name, revisions in batch._job_definitions.items()
        for revision in revisions
        if p.get("status") in (None, revision["status"])
        and p.get("jobDefinitionName") in (None, name)
        and (not asked or {name, f"{name}:{revision['revision']}"} & asked)
    ]
    return batch._json(200, {"jobDefinitions": found})


def _deregister_job_definition(p: dict[str, Any]) -> Any:
    found = definition(p["jobDefinition"])
    if found is not None:
        found["status"] = "INACTIVE"
    return batch._json(200, {})


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _refused(message: str) -> Any:
    return error_response_json("ClientException", message, 400)
