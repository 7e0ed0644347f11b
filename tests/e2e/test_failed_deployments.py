"""A deployment that fails half way can be destroyed, whatever was done with it meanwhile, or simply deployed again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.deployed import deploying, outputs, states
from tests.e2e.in_use import programs_running, put_in_use


@pytest.fixture(scope="module")
def broken(of_pair_changed: Callable[..., Path]) -> Path:
    """The app with a gallery whose program ends at once: its stack fails when all that it needs is there."""
    return of_pair_changed(lambda images: (images / "gallery" / "gallery.py").write_text("raise SystemExit('broken')"))


def test_half_deployed_and_in_use_it_is_destroyed_and_nothing_is_left(
    empty_sandbox: Sandbox, broken: Path, proof: Callable[..., None]
) -> None:
    before = inventory(empty_sandbox.client)
    with deploying(empty_sandbox, broken):
        with pytest.raises(SandboxError, match="circuit breaker was triggered"):
            empty_sandbox.deploy()
        there = states(empty_sandbox)
        assert there.pop("Ecs") == "ROLLBACK_COMPLETE"
        assert set(there.values()) == {"CREATE_COMPLETE"}
        empty_sandbox.outputs = outputs(empty_sandbox)
        in_use = put_in_use(empty_sandbox)
        assert programs_running(empty_sandbox)
        empty_sandbox.destroy()
    assert inventory(empty_sandbox.client) - before == set()
    assert programs_running(empty_sandbox) == []
    proof(
        "Nothing is left",
        tried=f"`cdk destroy --all` after a first deployment that failed in `Ecs`, {len(there)} stacks deployed; "
        f"in them {in_use}",
        times=1,
        found="the account as before, no process of a task or job",
    )
