"""What CloudFormation replaces when it updates a stack: it creates a new resource, then deletes the old one.

Based on CloudFormation's schemas of resource types, which cfn-lint contains, so it needs no account.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # it has no types

from tests.templates import Resource


def replaced_resources(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the logical ids of resources in both templates that an update replaces."""
    old, new = before["Resources"], after["Resources"]
    common = old.keys() & new.keys()
    replaced = {name for name in common if old[name]["Type"] != new[name]["Type"]}
    # The identifiers of a replaced resource change, and with them the resources that refer to it.
    while more := {name for name in common - replaced if _must_be_replaced(old[name], new[name], replaced)}:
        replaced |= more
    return replaced


def fixed_name(resource: Resource) -> str | None:
    """Return the unique name that the template gives to a resource. None: CloudFormation generates it."""
    kind = resource["Type"].rpartition("::")[2]
    for path in _schema(resource["Type"]).get("createOnlyProperties", []):
        if path.rpartition("/")[2] in ("Name", f"{kind}Name") and (name := _value(resource, path)):
            return json.dumps(name)
    return None


def _must_be_replaced(old: Resource, new: Resource, replaced: set[str]) -> bool:
    return any(
        before != after or replaced & {*references(after)}
        for before, after in zip(_create_only(old), _create_only(new), strict=True)
    )


def _create_only(resource: Resource) -> Iterator[Any]:
    """The values that an update can never change in place, or not always."""
    schema = _schema(resource["Type"])
    for path in (*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])):
        yield _value(resource, path)


def _value(resource: Resource, path: str) -> Any:
    value = resource.get("Properties", {})
    for part in path.removeprefix("/properties/").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids of the resources that a value refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@functools.cache
def _schema(resource_type: str) -> dict[str, Any]:
    if resource_type.startswith("Custom::"):
        return {"createOnlyProperties": ["/properties/ServiceToken"]}
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return schema
