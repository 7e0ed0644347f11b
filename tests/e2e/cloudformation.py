"""The deployed stacks as CloudFormation reports them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.deployment import Outputs
from local.sandbox import Sandbox


@contextmanager
def use_assembly(sandbox: Sandbox, assembly: Path) -> Iterator[None]:
    """Let the sandbox deploy and destroy the templates of another assembly while the block runs."""
    own = sandbox.cdk.assembly
    sandbox.cdk.assembly = assembly
    try:
        yield
    finally:
        sandbox.cdk.assembly = own


def stack_states(sandbox: Sandbox) -> dict[str, str]:
    """Return the status of every stack of the sandbox by stack id."""
    return {stack: described["StackStatus"] for stack, described in _stacks(sandbox)}


def stack_outputs(sandbox: Sandbox) -> Outputs:
    """Return all outputs. `sandbox.outputs` contains them only after a successful deployment."""
    return {
        stack: {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        for stack, described in _stacks(sandbox)
    }


def stack_resources(sandbox: Sandbox) -> dict[tuple[str, str, str], str]:
    """Return the physical id of every resource by stack id, type, and logical id."""
    paginator = sandbox.client("cloudformation").get_paginator("list_stack_resources")
    return {
        (stack, resource["ResourceType"], resource["LogicalResourceId"]): resource["PhysicalResourceId"]
        for stack, described in _stacks(sandbox)
        for page in paginator.paginate(StackName=described["StackName"])
        for resource in page["StackResourceSummaries"]
    }


def _stacks(sandbox: Sandbox) -> Iterator[tuple[str, dict[str, Any]]]:
    prefix = sandbox.stack_name("")
    for described in sandbox.client("cloudformation").describe_stacks()["Stacks"]:
        if described["StackName"].startswith(prefix):
            yield described["StackName"].removeprefix(prefix), described
