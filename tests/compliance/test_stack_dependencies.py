"""Any stack deploys without the rest: `cdk deploy <stack>` brings what its template reads from others, no more."""

import json
import re
from pathlib import Path

import pytest

# The parts that stand alone, of which all else is made. What each stack needs at present is in the README's table.
_ALONE = {"Network", "Registry", "Thumbnails"}


@pytest.fixture(scope="module")
def needs(assembly: Path) -> dict[str, set[str]]:
    """The stacks that `cdk deploy` deploys before each stack."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
    return {name: stacks & set(artifacts[name].get("dependencies", [])) for name in stacks}


def _reads(assembly: Path, stack: str) -> set[str]:
    """The stacks whose outputs the template of this one reads."""
    template = (assembly / f"{stack}.template.json").read_text()
    assert "Fn::ImportValue" not in template  # which would tie a stack to another one until both are gone
    names = re.findall(r'"Fn::GetStackOutput":\s*\{\s*"StackName":\s*"other-compute-(\w+)"', template)
    assert len(names) == template.count("Fn::GetStackOutput")
    return set(names)


def test_a_stack_needs_exactly_those_whose_outputs_it_reads(assembly: Path, needs: dict[str, set[str]]) -> None:
    assert needs == {stack: _reads(assembly, stack) for stack in needs}


def test_the_parts_that_others_are_made_of_stand_alone(needs: dict[str, set[str]]) -> None:
    assert {stack for stack in _ALONE if needs[stack]} == set()


def test_the_stacks_of_single_services_need_only_the_parts_they_are_made_of(needs: dict[str, set[str]]) -> None:
    assert needs["Cron"] == {"Thumbnails"}
    assert needs["Batch"] == {"Network", "Registry", "Thumbnails"}


def test_nothing_needs_the_guardrails_which_can_come_and_go(needs: dict[str, set[str]]) -> None:
    assert [stack for stack, others in needs.items() if "Guardrails" in others] == []
