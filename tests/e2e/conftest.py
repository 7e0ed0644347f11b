"""Sandboxes for the end-to-end tests: the real CDK CLI, into the emulator."""

import json
from collections.abc import Iterator

import pytest

from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One with all stacks deployed. When the last test is done it is destroyed, and nothing may be left."""
    with running_sandbox(context={"allowed_cidr": "127.0.0.0/8"}) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        yield sandbox
        sandbox.destroy()
        assert inventory(sandbox.client) - before == set()


@pytest.fixture(scope="session")
def empty_sandbox() -> Iterator[Sandbox]:
    """One in which nothing is deployed: who deploys something destroys it again. Its `name` is `pair`."""
    with running_sandbox(context={"name": "pair", "allowed_cidr": "127.0.0.0/8"}) as sandbox:
        yield sandbox
