"""Fixtures of the end-to-end tests: sandboxes that the CDK CLI deploys to."""

from collections.abc import Iterator

import pytest

from local.deployment import Deployment
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox
from operations.errors import OperationError
from tests.e2e.account import REPORT, AccountReport, deployed_to_account
from tests.e2e.eventually import eventually
from tests.e2e.photos import catalogue, originals, thumbnails
from tests.queues import alert_inbox
from tests.target import TARGET


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with all stacks. After the last test, it is destroyed and nothing may remain."""
    # With the stack Expiry. `allowed_cidr` is 127.0.0.1/32, so that 127.0.0.2 is denied.
    with running_sandbox(context={"expires_at": "2100-01-01T00:00:00Z"}) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        yield sandbox
        sandbox.destroy()
        assert inventory(sandbox.client) - before == set()


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The deployment under test: the sandbox or, with `E2E_TARGET=aws`, a deployment of its own in an account.

    Tests that use this fixture and not `sandbox` run in both.
    """
    if TARGET == "local":
        yield request.getfixturevalue("sandbox")
        return
    terminal = request.config.pluginmanager.getplugin("capturemanager")
    assert terminal
    target = deployed_to_account(_REPORT)
    try:
        with terminal.global_and_fixture_disabled():  # Deploying takes minutes.
            deployment = target.__enter__()
    except OperationError as error:
        pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    yield deployment
    with terminal.global_and_fixture_disabled():
        target.__exit__(None, None, None)


_REPORT = AccountReport()


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the tests that need the emulator."""
    _REPORT.not_run += len(items)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add the result of a test to the report about the account."""
    _REPORT.add(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the report about the account, which a user can attach to an issue."""
    if _REPORT.account:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(_REPORT.text())
        terminalreporter.write_line(f"Report: {REPORT}")


@pytest.fixture
def delete_photos_afterwards(deployment: Deployment) -> Iterator[None]:
    """After the test, delete all photos, upload requests, albums, and reports."""
    yield
    delete_photos(deployment)


@pytest.fixture
def no_photos(deployment: Deployment, delete_photos_afterwards: None) -> None:
    """The test starts and ends without photos, and without events of them."""
    delete_photos(deployment)
    queue = deployment.outputs["Thumbnails"]["UploadQueueUrl"]
    eventually(lambda: not deployment.queue_depth(queue))


def delete_photos(deployment: Deployment) -> None:
    """Delete everything in the buckets and the catalogue."""
    outputs, s3, dynamodb = deployment.outputs["Thumbnails"], deployment.client("s3"), deployment.client("dynamodb")
    for bucket, keys in (("OriginalsBucket", originals(deployment)), ("ThumbnailsBucket", thumbnails(deployment))):
        for start in range(0, len(keys), 1000):  # the maximum of a request
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            s3.delete_objects(Bucket=outputs[bucket], Delete={"Objects": objects})
    for key in catalogue(deployment):
        dynamodb.delete_item(TableName=outputs["CatalogueTable"], Key={"key": {"S": key}})
    eventually(lambda: not catalogue(deployment))


@pytest.fixture
def inbox(sandbox: Sandbox) -> Iterator[str]:
    """The URL of a queue that receives what is published to the alert topic."""
    with alert_inbox(sandbox) as url:
        yield url
