"""One sandbox with all stacks deployed, by the real CDK CLI into the emulator, for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A running sandbox. When the last test is done it is destroyed, and nothing may be left."""
    with running_sandbox(context={"allowed_cidr": "127.0.0.0/8"}) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        yield sandbox
        sandbox.destroy()
        assert inventory(sandbox.client) - before == set()
