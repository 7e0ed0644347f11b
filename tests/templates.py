"""Queries on synthesized templates."""

import json
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
Resources = dict[str, Resource]

# Resource types that keep data, or that CloudFormation can leave behind.
STATEFUL_TYPES = {
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}


def stack_names(assembly: Path) -> list[str]:
    """Return the ids of all stacks."""
    return sorted(file.name.partition(".")[0] for file in assembly.glob("*.template.json"))


def read_template(assembly: Path, stack: str) -> dict[str, Any]:
    """Return the template of a stack."""
    template: dict[str, Any] = json.loads((assembly / f"{stack}.template.json").read_text())
    return template


def read_templates(assembly: Path) -> dict[str, dict[str, Any]]:
    """Return the templates of all stacks by stack id."""
    return {stack: read_template(assembly, stack) for stack in stack_names(assembly)}


def read_resources(assembly: Path, stack: str) -> Resources:
    """Return the resources of a stack by logical id."""
    resources: Resources = read_template(assembly, stack)["Resources"]
    return resources


def read_all_resources(assembly: Path) -> Resources:
    """Return the resources of all stacks by `stack/logical id`."""
    return {
        f"{stack}/{name}": resource
        for stack in stack_names(assembly)
        for name, resource in read_resources(assembly, stack).items()
    }


def of_type(resources: Resources, resource_type: str, **properties: Any) -> Resources:
    """Return the resources of this type that have these properties. At least one must exist."""
    found = {
        name: resource
        for name, resource in resources.items()
        if resource["Type"] == resource_type and properties.items() <= resource.get("Properties", {}).items()
    }
    assert found, resource_type
    return found


def only(resources: Resources, resource_type: str, **properties: Any) -> tuple[str, Resource]:
    """Return the logical id and the properties of the only resource of this type that has these properties."""
    ((name, resource),) = of_type(resources, resource_type, **properties).items()
    return name, resource["Properties"]


def as_list(value: Any) -> list[Any]:
    """Return a value of a policy, which can be a list or a single item, as a list."""
    return value if isinstance(value, list) else [value]


def statements(resources: Resources, role: str = "") -> list[dict[str, Any]]:
    """Return the statements of all policies, or of those whose roles have logical ids that start with `role`."""
    return [
        statement
        for policy in resources.values()
        if policy["Type"] == "AWS::IAM::Policy"
        and any(attached["Ref"].startswith(role) for attached in policy["Properties"]["Roles"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def actions(statements: list[dict[str, Any]]) -> set[str]:
    """Return the actions of statements."""
    return {action for statement in statements for action in as_list(statement["Action"])}
