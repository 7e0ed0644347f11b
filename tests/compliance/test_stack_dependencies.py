"""Stacks deploy on their own: `cdk deploy <stack>` deploys only the stacks whose outputs its template uses."""

import json
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dependencies(each_assembly: Path) -> dict[str, set[str]]:
    """The stacks that `cdk deploy` deploys before each stack, except `Expiry`, which it deploys before all others."""
    artifacts = json.loads((each_assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    return {name: stacks & set(artifacts[name].get("dependencies", [])) - {"Expiry"} for name in stacks}


def _used_outputs(assembly: Path, stack: str) -> set[str]:
    """The stacks whose outputs a template uses."""
    template = (assembly / f"{stack}.template.json").read_text()
    assert "Fn::ImportValue" not in template  # blocks updates and deletion of the exporting stack
    names = re.findall(r'"Fn::GetStackOutput":\s*\{\s*"StackName":\s*"other-compute-(\w+)"', template)
    assert len(names) == template.count("Fn::GetStackOutput")
    return set(names)


def test_stacks_depend_only_on_stacks_whose_outputs_they_use(
    each_assembly: Path, dependencies: dict[str, set[str]]
) -> None:
    assert dependencies == {stack: _used_outputs(each_assembly, stack) for stack in dependencies}


def test_workers_are_deployed_after_what_they_use_and_destroyed_before_it(
    dependencies: dict[str, set[str]],
) -> None:
    """A worker that still runs would refill a bucket that is being emptied, and keeps its capacity provider in use."""
    if "Workers" in dependencies:
        assert dependencies["Workers"] - {"Network"} == {"Registry", "Thumbnails", "Ecs"}
        assert [stack for stack, others in dependencies.items() if "Workers" in others] == ["Guardrails"]


def test_stacks_deploy_with_few_others_and_without_guardrails(dependencies: dict[str, set[str]]) -> None:
    assert [stack for stack in ("Network", "Registry") if dependencies[stack]] == []
    assert dependencies["Thumbnails"] <= {"Registry"}  # only if the function runs from an image
    assert dependencies["Cron"] == {"Thumbnails"}
    assert dependencies["Batch"] == {"Network", "Registry", "Thumbnails"}
    assert dependencies["Api"] == {"Batch", "Thumbnails"}
    monitored = {"Thumbnails", "Api", "Ecs", "Batch", "Cron", "Workers"} & dependencies.keys()
    assert dependencies["Guardrails"] == monitored
    # Only the budget, which is last: some accounts cannot create one, and a failure must not disable other alerts.
    assert [stack for stack, others in dependencies.items() if "Guardrails" in others] == ["Budget"]
    assert [stack for stack, others in dependencies.items() if "Budget" in others] == []
