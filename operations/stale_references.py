"""Stacks that use a replaced resource of another stack.

CloudFormation resolves `Fn::GetStackOutput` only when it updates a stack, and the CDK CLI skips a stack whose template
is unchanged. A resource that is replaced without a change of its logical ID therefore leaves other stacks with the name
of a resource that no longer exists, and the CLI reports "no changes".
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from operations.deployed_stacks import DeployedStack


def stale_stacks(
    templates: Mapping[str, Any], before: Mapping[str, DeployedStack], after: Mapping[str, DeployedStack]
) -> dict[str, set[str]]:
    """Return the stacks that a deployment did not update although an output that they use has changed.

    Args:
        templates: The deployed templates before the deployment, by stack id.
        before: The stacks before the deployment, by id.
        after: The stacks after the deployment, by id.

    Returns:
        The ids of the changed stacks by the id of the stale stack.
    """
    old, new = ({stack.name: stack for stack in stacks.values()} for stacks in (before, after))
    stale: dict[str, set[str]] = {}
    for stack, template in templates.items():
        if not (stack in before and stack in after and before[stack].updated_at == after[stack].updated_at):
            continue
        for producer, output in _used_outputs(template):
            if producer not in new:
                continue
            # A producer that is new has replaced one that was deleted after the deployment of this stack.
            was = old[producer].outputs.get(output) if producer in old else ""
            if was is not None and was != new[producer].outputs.get(output):
                stale.setdefault(stack, set()).add(new[producer].id)
    return stale


def stale_message(stale: Mapping[str, Collection[str]], name: str, *, sandbox: bool = False) -> str:
    """Return what the user can do about stale stacks.

    Args:
        stale: The ids of the changed stacks by the id of the stale stack.
        name: Setting of the deployment.
        sandbox: Whether `make local` deployed. Without its `export` lines, the command would use an AWS account.
    """
    where, then = (" in a terminal with the export lines", "save a file") if sandbox else ("", "run `make deploy`")
    changes = "; ".join(f"{stack} uses {', '.join(sorted(used))}" for stack, used in sorted(stale.items()))
    return (
        f"This deployment replaced resources that unchanged stacks use: {changes}. CloudFormation updates such "
        "references only with the stack. To recreate these stacks and those that depend on them (photos are kept), "
        f"run{where}: npx cdk destroy {' '.join(sorted(stale))} -c name={name}. Then {then} again."
    )


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
