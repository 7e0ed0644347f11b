"""What an edit in the sandbox deletes and deploys, and in which order. `test_main.py` deploys edits."""

from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local import sandbox as sandbox_module
from local.__main__ import deploy_edits
from operations import deploy as deploy_module
from operations.errors import OperationError
from tests.operations.recorded_account import RecordedAccount, recorded_account


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordedAccount:
    return recorded_account(monkeypatch, tmp_path)


class _SandboxCdk:
    """The CDK CLI of a sandbox that is the recorded account."""

    def __init__(self, account: RecordedAccount) -> None:
        self.account, self.assembly = account, account.folder
        self.settings: dict[str, str] = {}

    def stack_name(self, stack: str) -> str:
        return f"a-{stack}"

    def synth(self, _: Any) -> None:
        self.account.synthesize(self.assembly, {"thumbnails_on": "lambda", **self.settings})

    def deploy(self, *stacks: str, **_: Any) -> None:
        outputs = str(self.account.folder / "outputs.json")
        self.account.run_cdk(*stacks, "--outputs-file", outputs, environment={}, on_line=lambda _: None)


@pytest.fixture
def cdk(account: RecordedAccount, monkeypatch: pytest.MonkeyPatch) -> _SandboxCdk:
    for name in ("find_stacks", "deployed_templates"):
        monkeypatch.setattr(sandbox_module, name, getattr(deploy_module, name))
    return _SandboxCdk(account)


@pytest.fixture
def sandbox(cdk: _SandboxCdk) -> sandbox_module.Sandbox:
    emulator = Mock(endpoint="http://127.0.0.1:1", access_key_id="AKIA", secret_access_key="secret")
    return sandbox_module.Sandbox(emulator, cast(Any, cdk))


def test_edit_deletes_in_the_order_of_a_deployment(
    account: RecordedAccount, cdk: _SandboxCdk, sandbox: sandbox_module.Sandbox
) -> None:
    cdk.settings["thumbnails_on"] = "ec2"
    sandbox.update()
    account.log.clear()
    cdk.settings["thumbnails_on"] = "fargate"
    assert sandbox.update() == (["Thumbnails", "Workers"], [])
    assert account.log == ["delete Workers", "deploy Thumbnails", "deploy Workers"]

    account.log.clear()
    cdk.settings["thumbnails_on"] = "lambda"
    account.dependencies = {"Thumbnails": [], "Cron": ["Thumbnails"], "Ecs": ["Thumbnails"]}
    assert sandbox.update() == (["Ecs", "Thumbnails"], ["Network", "Workers"])
    assert account.log == ["delete Workers", "deploy Thumbnails", "deploy Ecs", "delete Network"]
    assert sandbox.outputs.keys() == {"Thumbnails", "Cron", "Ecs"}


def test_edit_after_a_failed_one_reports_what_that_one_changed(
    account: RecordedAccount, cdk: _SandboxCdk, sandbox: sandbox_module.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.update()
    account.changes = {"Network": "new", "Cron": "new"}
    account.fails = "Cron"
    with pytest.raises(OperationError):
        sandbox.update()
    account.fails = ""
    for _ in range(2):  # Ecs remains stale.
        capsys.readouterr()
        sandbox.update()
        assert "in a terminal with the export lines: npx cdk destroy Ecs" in capsys.readouterr().out
    assert sandbox.outputs["Network"] == {"Id": "new"}
    del account.stacks["Ecs"], account.templates["Ecs"]
    capsys.readouterr()
    assert sandbox.update() == (["Ecs"], [])
    assert "destroy" not in capsys.readouterr().out
    account.changes["Network"] = "newer"
    sandbox.update()
    assert "destroy Ecs" in capsys.readouterr().out


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "Throttling"}}, "It"), EndpointConnectionError(endpoint_url="")]
)
def test_error_of_the_emulator_does_not_end_the_sandbox(
    error: Exception,
    sandbox: sandbox_module.Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sandbox_module, "find_stacks", Mock(side_effect=error))
    deploy_edits(sandbox, ["app.py"])
    assert str(error) in capsys.readouterr().out
