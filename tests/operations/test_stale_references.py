"""References between stacks that a deployment left outdated."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from operations.cdk import Assembly
from operations.stale_references import DeployedStack, stale_stacks
from tests.templates import read_template

_FIRST, _SECOND = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def output(assembly: Path) -> str:
    """The output of Batch with the queue that Api uses."""
    outputs = read_template(assembly, "Batch")["Outputs"]
    return next(str(name) for name in outputs if name.startswith("PublishOutputFnGetAttQueue"))


@pytest.mark.parametrize(
    ("queue", "api_updated_at", "stale"),
    [
        ("old", _FIRST, {}),
        ("new", _FIRST, {"Api": {"other-compute-Batch"}}),
        ("new", _SECOND, {}),
    ],
    ids=["same resource", "replaced resource", "replaced resource, and Api was updated"],
)
def test_stack_that_uses_a_replaced_resource_is_stale_unless_it_was_updated(
    assembly: Path, output: str, queue: str, api_updated_at: datetime, stale: dict[str, set[str]]
) -> None:
    before = {
        "other-compute-Batch": DeployedStack({output: "old"}, _FIRST),
        "other-compute-Api": DeployedStack({}, _FIRST),
    }
    after = {
        "other-compute-Batch": DeployedStack({output: queue}, _SECOND),
        "other-compute-Api": DeployedStack({}, api_updated_at),
    }
    assert stale_stacks(Assembly(assembly), "other-compute", before, after) == stale


def test_first_deployment_is_never_stale(assembly: Path, output: str) -> None:
    deployed = {"other-compute-Batch": DeployedStack({output: "new"}, _FIRST)}
    assert stale_stacks(Assembly(assembly), "other-compute", {}, deployed) == {}
