"""A deployment that fails half way can be destroyed, whatever was done with it meanwhile, or simply deployed again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_outputs, stack_states, use_assembly
from tests.e2e.unfinished_work import leave_work_unfinished, running_processes


@pytest.fixture(scope="module")
def broken(synthesize_changed_pair: Callable[..., Path]) -> Path:
    """The app with a gallery whose program ends at once: its stack fails when all that it needs is there."""
    return synthesize_changed_pair(
        lambda images: (images / "gallery" / "gallery.py").write_text("raise SystemExit('broken')")
    )


@pytest.mark.guarantee("Leaves nothing behind")
def test_destroy_after_a_failed_deployment_leaves_nothing_behind(empty_sandbox: Sandbox, broken: Path) -> None:
    before = inventory(empty_sandbox.client)
    with use_assembly(empty_sandbox, broken):
        with pytest.raises(SandboxError, match="circuit breaker was triggered"):
            empty_sandbox.deploy()
        there = stack_states(empty_sandbox)
        assert there.pop("Ecs") == "ROLLBACK_COMPLETE"
        assert set(there.values()) == {"CREATE_COMPLETE"}
        empty_sandbox.outputs = stack_outputs(empty_sandbox)
        leave_work_unfinished(empty_sandbox)
        assert running_processes(empty_sandbox)
        empty_sandbox.destroy()
    assert inventory(empty_sandbox.client) - before == set()
    assert running_processes(empty_sandbox) == []
