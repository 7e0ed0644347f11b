"""A deployment that failed halfway can be used and then destroyed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_outputs, stack_states, use_assembly
from tests.e2e.deployments.unfinished_work import leave_work_unfinished, running_containers


@pytest.mark.guarantee("Leaves nothing behind")
def test_destroy_after_a_failed_deployment_leaves_nothing_behind(
    empty_sandbox: Sandbox, synthesize_changed_pair: Callable[..., Path]
) -> None:
    # The gallery exits immediately, so its stack fails after all stacks that it depends on are complete.
    broken = synthesize_changed_pair(
        lambda images: (images / "gallery" / "gallery.py").write_text("raise SystemExit('I am broken')")
    )
    before = inventory(empty_sandbox.client)
    with use_assembly(empty_sandbox, broken):
        with pytest.raises(SandboxError, match=r"circuit breaker was triggered .*: I am broken"):
            empty_sandbox.deploy()
        states = stack_states(empty_sandbox)
        assert states.pop("Ecs") == "ROLLBACK_COMPLETE"
        assert set(states.values()) == {"CREATE_COMPLETE"}
        empty_sandbox.outputs = stack_outputs(empty_sandbox)
        leave_work_unfinished(empty_sandbox)
        assert running_containers(empty_sandbox)
        empty_sandbox.destroy()
    assert inventory(empty_sandbox.client) - before == set()
    assert running_containers(empty_sandbox) == []
