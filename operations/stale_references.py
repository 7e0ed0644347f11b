"""Stacks that use a replaced resource of another stack.

CloudFormation resolves `Fn::GetStackOutput` only when it updates a stack, and the CDK CLI skips a stack whose template
is unchanged. A resource that is replaced without a change of its logical ID therefore leaves other stacks with the name
of a resource that no longer exists, and the CLI reports "no changes".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3

from operations.cdk import Assembly


@dataclass(frozen=True)
class DeployedStack:
    """The outputs of a stack, and the time of its last update (UTC)."""

    outputs: Mapping[str, str]
    updated_at: datetime


def read_stacks(session: boto3.Session) -> dict[str, DeployedStack]:
    """Return all stacks of this account and region by name."""
    pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
    return {
        stack["StackName"]: DeployedStack(
            {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
            stack.get("LastUpdatedTime", stack["CreationTime"]),
        )
        for page in pages
        for stack in page["Stacks"]
    }


def stale_stacks(
    assembly: Assembly, name: str, before: Mapping[str, DeployedStack], after: Mapping[str, DeployedStack]
) -> dict[str, set[str]]:
    """Return the stacks that a deployment did not update although an output that they use has changed.

    Args:
        name: The setting `name` of the deployment.
        before: The stacks before the deployment.
        after: The stacks after the deployment.

    Returns:
        The names of the changed stacks by the id of the stale stack.
    """
    stale: dict[str, set[str]] = {}
    for stack, template in assembly.templates().items():
        stack_name = f"{name}-{stack}"
        if stack_name not in before or before[stack_name].updated_at != after[stack_name].updated_at:
            continue
        for producer, output in _used_outputs(template):
            old = before[producer].outputs.get(output) if producer in before else None
            if old is not None and old != after[producer].outputs.get(output):
                stale.setdefault(stack, set()).add(producer)
    return stale


def _used_outputs(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the stack name and the output name of each reference in a template."""
    if isinstance(value, dict):
        if reference := value.get("Fn::GetStackOutput"):
            yield reference["StackName"], reference["OutputName"]
        for inner in value.values():
            yield from _used_outputs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _used_outputs(inner)
