"""What CloudFormation replaces to get from one template of a stack to another: made anew, then the old one deleted.

By CloudFormation's own schemas of resource types, which cfn-lint brings along, so without an account.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # it has no types

Template = dict[str, Any]
Resource = dict[str, Any]


def replaced(before: Template, after: Template) -> set[str]:
    """Logical ids of the resources that are there before and after, and are not the same."""
    old, new = before["Resources"], after["Resources"]
    both = old.keys() & new.keys()
    found = {name for name in both if old[name]["Type"] != new[name]["Type"]}
    # What a replaced resource is known by changes too, and with it what names it.
    while more := {name for name in both - found if _cannot_stay(old[name], new[name], found)}:
        found |= more
    return found


def fixed_name(resource: Resource) -> str | None:
    """The name that a template gives to a resource, which no other may have; None: CloudFormation makes one up."""
    kind = resource["Type"].rpartition("::")[2]
    for path in _schema(resource["Type"]).get("createOnlyProperties", []):
        if path.rpartition("/")[2] in ("Name", f"{kind}Name") and (name := _value(resource, path)):
            return json.dumps(name)
    return None


def _cannot_stay(old: Resource, new: Resource, others: set[str]) -> bool:
    return any(
        before != after or others & {*_named(after)} for before, after in zip(_settled(old), _settled(new), strict=True)
    )


def _settled(resource: Resource) -> Iterator[Any]:
    """The values that cannot be changed while a resource exists, or not always."""
    schema = _schema(resource["Type"])
    for path in (*schema.get("createOnlyProperties", []), *schema.get("conditionalCreateOnlyProperties", [])):
        yield _value(resource, path)


def _value(resource: Resource, path: str) -> Any:
    value = resource.get("Properties", {})
    for part in path.removeprefix("/properties/").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _named(value: Any) -> Iterator[str]:
    """Logical ids of the resources that a value refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


@functools.cache
def _schema(resource_type: str) -> dict[str, Any]:
    if resource_type.startswith("Custom::"):
        return {"createOnlyProperties": ["/properties/ServiceToken"]}
    schema: dict[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    return schema
