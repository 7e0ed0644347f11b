"""The copy in an account that `E2E_TARGET=aws` finds, or why it is left alone; the sandbox is the account."""

import pytest

from local.demo.photo import PHOTO
from local.sandbox import Sandbox
from operations.errors import OperationError
from tests.e2e.account import AccountDeployment
from tests.e2e.eventually import eventually


@pytest.fixture
def shell(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Its credentials are the sandbox's."""
    for name, value in sandbox.emulator.client_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("E2E_NAME", raising=False)
    return monkeypatch


def test_deployment_is_read_from_the_account(sandbox: Sandbox, shell: pytest.MonkeyPatch) -> None:
    copy = AccountDeployment.from_environment()
    assert copy.outputs == sandbox.outputs
    assert copy.api_key() == sandbox.api_key()


def test_deployment_with_photos_is_rejected(sandbox: Sandbox, shell: pytest.MonkeyPatch) -> None:
    s3, outputs = sandbox.client("s3"), sandbox.outputs["Thumbnails"]
    s3.upload_file(str(PHOTO), outputs["OriginalsBucket"], "mine.jpg")
    try:
        eventually(lambda: sandbox.table_items(outputs["CatalogueTable"]))
        with pytest.raises(OperationError, match="has 1 photos, and the tests delete every photo"):
            AccountDeployment.from_environment()
    finally:
        s3.delete_object(Bucket=outputs["OriginalsBucket"], Key="mine.jpg")
        eventually(lambda: not sandbox.table_items(outputs["CatalogueTable"]))


def test_missing_deployment_is_reported(shell: pytest.MonkeyPatch) -> None:
    shell.setenv("E2E_NAME", "annas")
    with pytest.raises(
        OperationError, match=r"^annas in account 111122223333, us-east-1 lacks Api, Batch, .*make deploy"
    ):
        AccountDeployment.from_environment()
