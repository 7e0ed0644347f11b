"""Fixtures of the end-to-end tests: sandboxes that the CDK CLI deploys to."""

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
from tests.e2e.account import AccountDeployment
from tests.e2e.eventually import eventually
from tests.e2e.photos import catalogue, originals, thumbnails
from tests.queues import alert_inbox
from tests.target import TARGET

# Settings of the deployments in the empty sandbox.
_PAIR = {"name": "pair", "allowed_cidr": "127.0.0.0/8"}


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with all stacks. After the last test, it is destroyed and nothing may remain."""
    with running_sandbox() as sandbox:  # `allowed_cidr` is 127.0.0.1/32, so that 127.0.0.2 is denied.
        before = inventory(sandbox.client)
        sandbox.deploy()
        yield sandbox
        sandbox.destroy()
        assert inventory(sandbox.client) - before == set()


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """The deployment under test: the sandbox or, with `E2E_TARGET=aws`, a deployment in an account.

    Tests that use this fixture and not `sandbox` run in both.
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
    """After the test, delete all photos, upload requests, albums, and reports."""
    yield
    outputs, s3, dynamodb = deployment.outputs["Thumbnails"], deployment.client("s3"), deployment.client("dynamodb")
    for bucket, keys in (("OriginalsBucket", originals(deployment)), ("ThumbnailsBucket", thumbnails(deployment))):
        for key in keys:
            s3.delete_object(Bucket=outputs[bucket], Key=key)
    for key in catalogue(deployment):
        dynamodb.delete_item(TableName=outputs["CatalogueTable"], Key={"key": {"S": key}})
    eventually(lambda: not catalogue(deployment))


@pytest.fixture(scope="session")
def empty_sandbox() -> Iterator[Sandbox]:
    """A bootstrapped sandbox without stacks, with `name=pair`. Tests destroy what they deploy."""
    with running_sandbox(context=_PAIR) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def synthesize_pair(synthesize: Callable[..., Path]) -> Callable[..., Path]:
    """Return a function that synthesizes the app for the empty sandbox, with the given settings."""
    return lambda **settings: synthesize(**{**_PAIR, "target": "local", **settings})


@pytest.fixture(scope="session")
def synthesize_changed_pair(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that synthesizes the app for the empty sandbox with changed container images.

    Its argument is a function that changes a copy of `containers/`.
    """

    def synthesize(change: Callable[[Path], object]) -> Path:
        containers, outdir = tmp_path_factory.mktemp("containers"), tmp_path_factory.mktemp("cdk.out")
        shutil.copytree(build_context.CONTAINERS, containers, dirs_exist_ok=True)
        change(containers)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build_context, "CONTAINERS", containers)
            build(App(context=context | _PAIR | {"target": "local"}, outdir=str(outdir))).synth()
        return outdir

    return synthesize


@pytest.fixture
def inbox(sandbox: Sandbox) -> Iterator[str]:
    """The URL of a queue that receives what is published to the alert topic."""
    with alert_inbox(sandbox) as url:
        yield url
