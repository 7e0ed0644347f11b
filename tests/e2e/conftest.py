"""Sandboxes for the end-to-end tests: the real CDK CLI, into the emulator."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from app import build
from local.deployment import Deployment
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox
from operations.errors import OperationError
from stacks.support import build_context
from tests.alert_inbox import alert_inbox
from tests.e2e.account import AccountDeployment
from tests.e2e.eventually import eventually
from tests.target import TARGET


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One with all stacks deployed. When the last test is done it is destroyed, and nothing may be left."""
    with running_sandbox() as sandbox:  # open to 127.0.0.1, which leaves 127.0.0.2 to be someone else
        before = inventory(sandbox.client)
        sandbox.deploy()
        yield sandbox
        sandbox.destroy()
        assert inventory(sandbox.client) - before == set()


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """The copy under test: that of the sandbox or, by `E2E_TARGET=aws`, one in an account.

    A test that asks for no more than this, not for `sandbox` itself, holds in both.
    """
    if TARGET == "local":
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        return sandbox
    try:
        return AccountDeployment.from_environment()
    except OperationError as error:
        pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)


@pytest.fixture
def delete_photos_afterwards(deployment: Deployment) -> Iterator[None]:
    """After the test every photo is gone, however far it came, and so are albums and reports."""
    yield
    outputs, s3, dynamodb = deployment.outputs["Thumbnails"], deployment.client("s3"), deployment.client("dynamodb")
    for bucket in (outputs["OriginalsBucket"], outputs["ThumbnailsBucket"]):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=entry["Key"])
    # Items of what was announced and never came, too.
    for item in deployment.table_items(outputs["CatalogueTable"]):
        dynamodb.delete_item(TableName=outputs["CatalogueTable"], Key={"key": {"S": item["key"]}})
    eventually(lambda: not deployment.table_items(outputs["CatalogueTable"]))


# Of the copy of the app that is deployed into the empty sandbox.
_SETTINGS = {"name": "pair", "allowed_cidr": "127.0.0.0/8"}


@pytest.fixture(scope="session")
def empty_sandbox() -> Iterator[Sandbox]:
    """One in which nothing is deployed: who deploys something destroys it again. Its `name` is `pair`."""
    with running_sandbox(context=_SETTINGS) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def synthesize_pair(synthesize: Callable[..., Path]) -> Callable[..., Path]:
    """The app for the empty sandbox: a folder with its templates, with the settings that are given."""
    return lambda **settings: synthesize(**{**_SETTINGS, "target": "local", **settings})


@pytest.fixture(scope="session")
def synthesize_changed_pair(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The app for the empty sandbox with other images: what it is called with changes a copy of `containers/`."""

    def synthesize(change: Callable[[Path], object]) -> Path:
        containers, outdir = tmp_path_factory.mktemp("containers"), tmp_path_factory.mktemp("cdk.out")
        shutil.copytree(build_context.CONTAINERS, containers, dirs_exist_ok=True)
        change(containers)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build_context, "CONTAINERS", containers)
            build(App(context=context | _SETTINGS | {"target": "local"}, outdir=str(outdir))).synth()
        return outdir

    return synthesize


@pytest.fixture
def inbox(sandbox: Sandbox) -> Iterator[str]:
    """The URL of a queue that gets what is published to the topic, as an e-mail address would."""
    with alert_inbox(sandbox) as url:
        yield url
