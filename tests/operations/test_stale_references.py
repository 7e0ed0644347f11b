"""References between stacks that a deployment left outdated."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from operations.cdk import Assembly
from operations.deployed_stacks import DeployedStack
from operations.stale_references import stale_stacks
from tests.templates import read_template

_FIRST, _SECOND = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


def _deployed(stack: str, updated_at: datetime, outputs: dict[str, str] | None = None) -> DeployedStack:
    name = f"other-compute-{stack}"
    return DeployedStack(stack, name, f"arn:{name}", "UPDATE_COMPLETE", updated_at, outputs or {}, [])


@pytest.fixture(scope="module")
def output(assembly: Path) -> str:
    """The output of Batch with the queue that Api uses."""
    outputs = read_template(assembly, "Batch")["Outputs"]
    return next(str(name) for name in outputs if name.startswith("PublishOutputFnGetAttQueue"))


@pytest.mark.parametrize(
    ("queue", "api_updated_at", "stale"),
    [
        ("old", _FIRST, {}),
        ("new", _FIRST, {"Api": {"Batch"}}),
        ("new", _SECOND, {}),
    ],
    ids=["same resource", "replaced resource", "replaced resource, and Api was updated"],
)
def test_stack_that_uses_a_replaced_resource_is_stale_unless_it_was_updated(
    assembly: Path, output: str, queue: str, api_updated_at: datetime, stale: dict[str, set[str]]
) -> None:
    before = {"Batch": _deployed("Batch", _FIRST, {output: "old"}), "Api": _deployed("Api", _FIRST)}
    after = {"Batch": _deployed("Batch", _SECOND, {output: queue}), "Api": _deployed("Api", api_updated_at)}
    assert stale_stacks(Assembly(assembly).templates(), before, after) == stale


def test_stack_that_uses_a_recreated_stack_is_stale(assembly: Path, output: str) -> None:
    before = {"Api": _deployed("Api", _FIRST)}
    templates = Assembly(assembly).templates()
    assert stale_stacks(templates, before, before) == {}
    batch = {"Batch": _deployed("Batch", _SECOND, {output: "new"})}
    assert stale_stacks(templates, before, before | batch) == {"Api": {"Batch"}}
    assert stale_stacks({"Api": {"Resources": {}}}, before, before | batch) == {}
    assert stale_stacks(templates, before, batch) == {}  # The expiry has deleted Api meanwhile.


def test_first_deployment_is_never_stale(assembly: Path, output: str) -> None:
    deployed = {"Batch": _deployed("Batch", _FIRST, {output: "new"})}
    assert stale_stacks({}, {}, deployed) == {}
