"""Change sets of CloudFormation: a change set that changes only outputs can be executed.

In an account it has no changes of resources, but is executable (https://github.com/aws/aws-cdk/pull/2029). The emulator
compares outputs only for imports.
"""

from typing import Any

from ministack.services.cloudformation import changesets


class _OutputChanges(list[Any]):
    """An empty list of resource changes that does not count as empty."""

    def __bool__(self) -> bool:
        return True


def extend() -> None:
    """Compare outputs as well."""
    resolve, compare = changesets._resolve_props_for_diff, changesets._diff_resources

    def resolve_with_outputs(template: dict[str, Any], *arguments: Any) -> dict[str, Any]:
        return {**resolve(template, *arguments), "Outputs": template.get("Outputs")}

    def compare_with_outputs(old: dict[str, Any], new: dict[str, Any], *arguments: Any) -> list[Any]:
        changes: list[Any] = compare(old, new, *arguments)
        return changes or (_OutputChanges() if old["Outputs"] != new["Outputs"] else [])

    changesets._resolve_props_for_diff = resolve_with_outputs
    changesets._diff_resources = compare_with_outputs
