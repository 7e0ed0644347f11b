"""The deployment that `E2E_TARGET=aws` selects, and why it can be rejected. The sandbox is the account."""

import pytest

from local.sandbox import Sandbox
from operations.errors import OperationError
from tests.e2e.account import AccountDeployment
from tests.e2e.eventually import eventually
from tests.e2e.photos import catalogue, uploaded_photo


@pytest.fixture
def shell(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with the credentials of the sandbox."""
    for name, value in sandbox.emulator.client_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("E2E_NAME", raising=False)
    return monkeypatch


def test_deployment_is_read_from_the_account(sandbox: Sandbox, shell: pytest.MonkeyPatch) -> None:
    deployment = AccountDeployment.from_environment()
    assert deployment.outputs == sandbox.outputs
    assert deployment.api_key() == sandbox.api_key()


def test_deployment_with_photos_is_rejected(sandbox: Sandbox, shell: pytest.MonkeyPatch) -> None:
    with uploaded_photo(sandbox, "mine.jpg"):
        eventually(lambda: catalogue(sandbox))
        with pytest.raises(OperationError, match="1 photo"):
            AccountDeployment.from_environment()


def test_missing_deployment_is_reported(shell: pytest.MonkeyPatch) -> None:
    shell.setenv("E2E_NAME", "annas")
    with pytest.raises(OperationError, match=r"annas.*111122223333.*Api, Batch, "):
        AccountDeployment.from_environment()
