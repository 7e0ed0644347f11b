"""An empty sandbox, and variants of the app to deploy to it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from app import build
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox
from stacks.support import build_context

_SETTINGS = {"name": "pair", "allowed_cidr": "127.0.0.0/8"}


@pytest.fixture(scope="session")
def empty_sandbox() -> Iterator[Sandbox]:
    """A bootstrapped sandbox without stacks, with `name=pair`. Tests destroy what they deploy."""
    with running_sandbox(context=_SETTINGS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def initial_inventory(empty_sandbox: Sandbox) -> set[str]:
    """What exists before the tests of a file."""
    return inventory(empty_sandbox.client)


@pytest.fixture(scope="session")
def synthesize_pair(synthesize: Callable[..., Path]) -> Callable[..., Path]:
    """Return a function that synthesizes the app for the empty sandbox, with the given settings."""
    return lambda **settings: synthesize(**{**_SETTINGS, "target": "local", **settings})


@pytest.fixture(scope="session")
def synthesize_changed_pair(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that synthesizes the app for the empty sandbox with changed container images.

    Its first argument is a function that changes a copy of `containers/`; the others are settings.
    """

    def synthesize(change: Callable[[Path], object], **settings: str) -> Path:
        containers, outdir = tmp_path_factory.mktemp("containers"), tmp_path_factory.mktemp("cdk.out")
        shutil.copytree(build_context.CONTAINERS, containers, dirs_exist_ok=True)
        change(containers)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build_context, "CONTAINERS", containers)
            build(App(context=context | _SETTINGS | {"target": "local"} | settings, outdir=str(outdir))).synth()
        return outdir

    return synthesize
