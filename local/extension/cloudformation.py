"""CloudFormation: helpers that register resource types and create resources by API calls."""

import functools
import json
from collections.abc import Callable, Collection
from typing import Any

import botocore.session
from botocore import validate
from ministack.services import batch, budgets, ecs
from ministack.services.cloudformation.provisioners import _REPLACING_PROPERTIES, _RESOURCE_HANDLERS, _physical_name

Properties = dict[str, Any]

# The function of the emulator that implements an operation, by service.
_IMPLEMENTATIONS: dict[str, Callable[[str], Any]] = {
    "batch": lambda operation: batch._DISPATCH[f"/v1/{operation.lower()}"],
    "budgets": lambda operation: budgets._DISPATCH[operation],
    "ecs": lambda operation: ecs._ACTION_MAP[operation],
}


def register(
    resource_type: str,
    *,
    create: Callable[[str, Properties], tuple[str, Properties]],
    delete: Callable[[str, Properties], object],
    update: Callable[[str, Properties], Properties] | None = None,
    replaced_by: Collection[str] = (),
) -> None:
    """Register the handlers of a resource type.

    Args:
        resource_type: For example, `AWS::Batch::JobQueue`.
        create: Takes a generated name and the properties, and returns the physical ID and the attributes.
        delete: Takes the physical ID and the properties.
        update: Takes the physical ID and the new properties, and returns the attributes.
        replaced_by: The properties that replace the resource when they change.
    """
    handler: dict[str, Callable[..., Any]] = {
        "create": lambda logical_id, props, stack: create(_physical_name(stack, logical_id, max_len=100), props),
        "delete": delete,
    }
    if update:
        handler["update"] = lambda physical_id, _old, new, _stack: (physical_id, update(physical_id, new))
    _RESOURCE_HANDLERS[resource_type] = handler
    if replaced_by:
        _REPLACING_PROPERTIES[resource_type] = tuple(replaced_by)


def wrap(
    resource_type: str,
    *,
    before: Callable[[Properties], object] = lambda props: None,
    after: Callable[[str, Properties], object] = lambda physical_id, props: None,
) -> None:
    """Run code before and after the emulator creates or updates a resource of this type."""
    handler = _RESOURCE_HANDLERS[resource_type]

    def wrapped(handle: Callable[..., Any], position: int) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            before(arguments[position])
            result = handle(*arguments)
            after(result[0], arguments[position])
            return result

        return run

    handler |= {"create": wrapped(handler["create"], 1), "update": wrapped(handler["update"], 2)}


def call(service: str, operation: str, properties: Properties) -> dict[str, Any]:
    """Call the API of the emulator with the properties of a template. Raises ValueError if the call fails."""
    shape = input_shape(service, operation)
    parameters = _to_parameters(properties, shape, operation)
    problems = validate.ParamValidator().validate(parameters, shape)
    if problems.has_errors():
        raise ValueError(f"{operation}: {problems.generate_report()}")
    status, _, body = _IMPLEMENTATIONS[service](operation)(parameters)
    answer: dict[str, Any] = json.loads(body)
    if status != 200:
        raise ValueError(answer.get("message") or answer)
    return answer


@functools.cache
def input_shape(service: str, operation: str) -> Any:
    """Return the parameters of an operation as the API's model defines them."""
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


def _to_parameters(value: Any, shape: Any, path: str) -> Any:
    """Convert properties to API parameters: names differ in case, and a template may write any scalar as text."""
    if shape.type_name == "structure":
        members = {name.lower(): name for name in shape.members}
        if unknown := [name for name in value if name.lower() not in members]:
            raise ValueError(f"{path}: unknown property {', '.join(unknown)}")
        return {
            (member := members[name.lower()]): _to_parameters(inner, shape.members[member], f"{path}.{name}")
            for name, inner in value.items()
        }
    if shape.type_name == "list":
        return [_to_parameters(inner, shape.member, path) for inner in value]
    if shape.type_name == "boolean":
        return str(value).lower() == "true"
    if shape.type_name in ("integer", "long"):
        return int(value)
    return str(value) if shape.type_name == "string" else value
