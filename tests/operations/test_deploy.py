"""What `make deploy` and an edit in the sandbox delete and deploy, and in which order.

`tests/e2e/deployments/test_deploy.py` deploys.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError

from local import sandbox as sandbox_module
from local.__main__ import deploy_edits
from operations import deploy as deploy_module
from operations import deployed_stacks
from operations.account import Account
from operations.cdk import Assembly
from operations.deployed_stacks import DeployedStack
from operations.errors import OperationError
from operations.preflight.checks import Deployment
from stacks.support.settings import recorded_settings

_DEPENDENCIES = {
    "Network": [],
    "Thumbnails": [],
    "Cron": ["Thumbnails"],
    "Ecs": ["Network", "Thumbnails"],
    "Workers": ["Ecs"],
}


class RecordedAccount:
    """An account whose stacks are only recorded.

    Attributes:
        log: What `make deploy` did, in order.
        deleted: The stacks that preflight expects to be deleted.
        fails: The stack that cannot be deployed.
        changes: The edits of templates by stack. Each of them replaces the resource whose id is the output `Id`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stacks: dict[str, DeployedStack] = {}
        self.log: list[str] = []
        self.deleted: Collection[str] = ()
        self.fails = ""
        self.changes: dict[str, str] = {}
        self.dependencies: dict[str, list[str]] = {**_DEPENDENCIES}
        self.templates: dict[str, Any] = {}

    def synthesize(self, _folder: Path, settings: Mapping[str, str]) -> Assembly:
        self.settings = settings
        workers = settings["thumbnails_on"] in ("fargate", "ec2")
        stacks = {stack: it for stack, it in self.dependencies.items() if workers or stack != "Workers"}
        if settings.get("expires_at"):
            stacks = {"Expiry": [], **{stack: [*it, "Expiry"] for stack, it in stacks.items()}}
        artifacts = {
            stack: {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": f"{stack}.json"},
                "dependencies": dependencies,
            }
            for stack, dependencies in stacks.items()
        }
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        for stack, producers in stacks.items():
            uses = [
                {"Fn::GetStackOutput": {"StackName": f"a-{producer}", "OutputName": "Id"}}
                for producer in producers
                if producer != "Expiry"
            ]
            outputs = {"Settings": {"Value": recorded_settings(settings)}} if stack == "Thumbnails" else {}
            template = {"Resources": {}, "Outputs": outputs, "Metadata": [self.changes.get(stack), *uses]}
            (self.folder / f"{stack}.json").write_text(json.dumps(template))
        return Assembly(self.folder)

    def check(self, deployment: Deployment) -> None:
        self.deleted = deployment.deleted

    def delete_stacks(self, _session: boto3.Session, stacks: Mapping[str, DeployedStack]) -> None:
        self.log += [f"delete {stack}" for stack in sorted(stacks)]
        for stack in stacks:
            del self.stacks[stack]

    def run_cdk(
        self, *arguments: str, environment: Mapping[str, str], on_line: Callable[[str], None], **_: Any
    ) -> None:
        self.environment = environment
        order = ["Expiry", *self.dependencies]
        for stack in [stack for stack in order if stack in arguments]:
            on_line(f"{stack} (a-{stack}): deploying... [1/6]")
            if stack == self.fails:
                on_line(f"❌  {stack} (a-{stack}) failed: it is broken")
                raise OperationError(f"{stack} failed")
            outputs = {"Id": self.changes.get(stack, "old")}
            if stack == "Thumbnails":
                outputs["Settings"] = recorded_settings(self.settings)
            if stack == "Expiry":
                outputs["ExpiresAt"] = self.settings["expires_at"]
            self.templates[stack] = Assembly(self.folder).templates()[stack]
            now = datetime.now(UTC)
            self.stacks[stack] = DeployedStack(stack, f"a-{stack}", f"arn:{stack}", "CREATE_COMPLETE", now, outputs, [])
            self.log.append(f"deploy {stack}")
            on_line(f"✅  {stack} (a-{stack})")
        Path(arguments[arguments.index("--outputs-file") + 1]).write_text("{}")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordedAccount:
    account = RecordedAccount(tmp_path)
    for name, replacement in {
        "new_log": lambda name: tmp_path / f"{name}.log",
        "current_account": lambda _: Account("123456789012", "us-east-1", "anna"),
        "find_stacks": lambda *_: dict(account.stacks),
        "deployed_templates": lambda _, stacks: {stack: account.templates.get(stack) for stack in stacks},
        "create_service_linked_roles": lambda *_: [],
        "detect_public_cidr": lambda: "9.9.9.9/32",
        **{name: getattr(account, name) for name in ("synthesize", "check", "run_cdk")},
    }.items():
        monkeypatch.setattr(deploy_module, name, replacement)
    monkeypatch.setattr(deployed_stacks, "delete_stacks", account.delete_stacks)
    return account


@pytest.fixture
def deploy(account: RecordedAccount) -> Callable[..., list[str]]:
    """Return a function that deploys, and returns what happened in order."""

    def deploy(*stacks: str, **settings: str) -> list[str]:
        account.log.clear()
        deploy_module.deploy(boto3.Session(), {"name": "a", **settings}, stacks, yes=True)
        return [*account.log]

    return deploy


def test_switch_deletes_the_workers_before_it_deploys_another_consumer(
    account: RecordedAccount, deploy: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any("delete" in action for action in [*deploy(), *deploy(thumbnails_on="fargate"), *deploy()])
    assert "Workers" in account.stacks
    capsys.readouterr()
    first, *_, last = deploy(thumbnails_on="ec2")
    assert (first, last) == ("delete Workers", "deploy Workers")
    printed = capsys.readouterr().out
    assert "fargate → ec2" in printed and "deletes       Workers first" in printed
    assert "new stacks    Workers\n" in printed and "data" not in printed
    assert account.deleted == {"Workers"}
    first, *others = deploy(thumbnails_on="lambda")
    assert first == "delete Workers" and "deploy Workers" not in others
    assert account.stacks.keys() == _DEPENDENCIES.keys() - {"Workers"}


@pytest.mark.parametrize("fails", ["Thumbnails", "Ecs", "Workers"])
@pytest.mark.parametrize("value", ["fargate", "lambda"])
def test_switch_that_failed_continues_when_run_again(
    account: RecordedAccount, deploy: Callable[..., list[str]], fails: str, value: str
) -> None:
    deploy(thumbnails_on="ec2" if value == "fargate" else "fargate")
    account.fails = fails
    if fails in account.synthesize(account.folder, {"thumbnails_on": value}).stacks():
        with pytest.raises(OperationError, match=f"{fails} failed"):
            deploy(thumbnails_on=value)
    account.fails = ""
    deploy(thumbnails_on=value)
    assert ("Workers" in account.stacks) == (value == "fargate")
    assert account.settings["thumbnails_on"] == value
    assert not any("delete" in action for action in deploy())
    assert account.settings["thumbnails_on"] == value


def test_output_has_a_line_for_each_stack_and_names_the_log(
    account: RecordedAccount, deploy: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    account.fails = "Cron"
    with pytest.raises(OperationError, match=rf"Cron failed\nLog: {account.folder}/deploy-a\.log$"):
        deploy()
    printed = capsys.readouterr().out
    assert str(account.folder / "deploy-a.log") in printed
    lines = re.findall(r"^  ([…✓✗] \w+)(?: \(\d+\.\d s\))?$", printed, re.MULTILINE)
    assert lines == ["… Network", "✓ Network", "… Thumbnails", "✓ Thumbnails", "… Cron", "✗ Cron"]


@pytest.mark.parametrize(("method", "profile", "access_key"), [("sso", "annas", None), ("assume-role", None, "ASIA")])
def test_cli_receives_the_role_for_which_this_process_asked_for_an_mfa_token(
    account: RecordedAccount,
    deploy: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    profile: str | None,
    access_key: str | None,
) -> None:
    (account.folder / "config").write_text("[profile annas]\nregion = us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(account.folder / "config"))
    credentials = Credentials("ASIA", "secret", "token", method=method)
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: credentials)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "annas")
    deploy()
    received = account.environment
    assert (received.get("AWS_PROFILE"), received.get("AWS_ACCESS_KEY_ID")) == (profile, access_key)


def test_chosen_stack_that_was_recreated_leaves_stale_consumers(
    account: RecordedAccount, deploy: Callable[..., list[str]]
) -> None:
    deploy()
    del account.stacks["Network"]
    with pytest.raises(OperationError, match="npx cdk destroy Ecs -c name=a"):
        deploy("Network")


def test_stack_that_left_the_app_is_deleted_after_the_stacks_that_use_it(
    account: RecordedAccount, deploy: Callable[..., list[str]]
) -> None:
    deploy()
    account.dependencies = {"Thumbnails": [], "Ecs": ["Thumbnails"]}
    assert deploy() == ["delete Cron", "deploy Thumbnails", "deploy Ecs", "delete Network"]


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


def test_chosen_stacks_include_what_consumes_the_queue(
    account: RecordedAccount, deploy: Callable[..., list[str]]
) -> None:
    assert deploy("Cron") == ["deploy Thumbnails", "deploy Cron"]
    assert deploy("Cron", thumbnails_on="fargate")[-1] == "deploy Workers"
    assert deploy("Network", thumbnails_on="ec2") == ["deploy Network"]  # which no setting changes
    assert deploy("Cron", thumbnails_on="lambda") == ["delete Workers", "deploy Thumbnails", "deploy Cron"]


def test_summary_names_the_stacks_whose_data_is_deleted(
    account: RecordedAccount, deploy: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    deploy(thumbnails_on="fargate")
    account.stacks["Old"] = account.stacks["Cron"]
    # For example, plain `cdk deploy` has changed the setting and left Workers behind.
    account.stacks["Thumbnails"].outputs["Settings"] = recorded_settings({})  # type: ignore[index]
    capsys.readouterr()
    assert deploy()[:2] == ["delete Old", "delete Workers"]
    printed = capsys.readouterr().out
    assert "deletes       Workers first" in printed
    assert "Old with all data, no longer in the app" in printed
    assert account.deleted == {"Old", "Workers"}


_EXPIRES_AT = "2100-01-01T00:00:00Z"


def test_expiry_is_deployed_first_kept_extended_and_removed_first(
    account: RecordedAccount, deploy: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    account.fails = "Ecs"
    with pytest.raises(OperationError, match="Ecs failed"):
        deploy(expires_at=_EXPIRES_AT)
    assert account.log[0] == "deploy Expiry"
    printed = capsys.readouterr().out
    assert f"expires       {_EXPIRES_AT}, which is " in printed
    assert "Without alert_email" in printed
    account.fails = ""

    for stacks in ((), ("Network",)):
        assert deploy(*stacks)[0] == "deploy Expiry"
        assert account.settings["expires_at"] == _EXPIRES_AT
    assert deploy("Network", expires_at="2100-01-02T00:00:00Z") == ["deploy Expiry", "deploy Network"]
    capsys.readouterr()
    deploy(alert_email="me@example.com")
    assert "Without alert_email" not in capsys.readouterr().out
    assert account.settings["expires_at"] == "2100-01-02T00:00:00Z"

    capsys.readouterr()
    assert deploy("Network", expires_at="") == ["delete Expiry", "deploy Network"]
    assert "deletes       Expiry: the deployment remains" in capsys.readouterr().out
    # `Thumbnails` has not been updated, and its output still names the time.
    deploy()
    assert account.settings["expires_at"] == ""
    assert "Expiry" not in account.stacks


def test_cost_of_an_update_is_that_of_the_whole_deployment(
    deploy: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy()
    priced: list[Collection[str]] = []
    monkeypatch.setattr(deploy_module, "_cost", lambda _, stacks, __: priced.append(stacks))
    deploy("Network", expires_at=_EXPIRES_AT)
    assert priced == [{"Expiry", "Network", "Thumbnails", "Cron", "Ecs"}]


@pytest.mark.parametrize(
    ("stack", "stacks", "settings"), [("Ecs", ["Network"], {}), ("Workers", [], {"thumbnails_on": "fargate"})]
)
@pytest.mark.parametrize("status", ["DELETE_COMPLETE", "DELETE_IN_PROGRESS"])
def test_stack_that_the_expiry_deletes_meanwhile_is_reported(
    account: RecordedAccount,
    deploy: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    stack: str,
    stacks: list[str],
    settings: dict[str, str],
    status: str,
) -> None:
    def run_cdk(*arguments: str, **options: Any) -> None:
        account.run_cdk(*arguments, **options)
        deleting = replace(account.stacks.pop(stack), status=status)
        if status == "DELETE_IN_PROGRESS":
            account.stacks[stack] = deleting

    deploy(expires_at=_EXPIRES_AT, thumbnails_on="ec2")
    monkeypatch.setattr(deploy_module, "run_cdk", run_cdk)
    with pytest.raises(OperationError, match=rf": {stack}\. .*: make deploy name=a$"):
        deploy(*stacks, expires_at="2100-01-02T00:00:00Z", **settings)


def test_deployment_that_would_expire_at_once_is_rejected(
    account: RecordedAccount, deploy: Callable[..., list[str]]
) -> None:
    with pytest.raises(OperationError, match=r"^Setting expires_at: 2026-01-01T00:00:00Z is in the past.*hours="):
        deploy(expires_at="2026-01-01T00:00:00Z")
    assert account.stacks == {}


@pytest.mark.parametrize(
    ("answers", "hours"), [(["", "y"], 8), ([" 2.5 ", "y"], 2.5), (["soon", "1", "y"], 1), (["never", "y"], None)]
)
@pytest.mark.parametrize("interrupted", [False, True])
def test_new_deployment_asks_for_the_expiry(
    account: RecordedAccount,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
    hours: float | None,
    interrupted: bool,
) -> None:
    answers = [*answers]
    if interrupted:
        now = datetime.now(UTC)
        account.stacks["Network"] = DeployedStack("Network", "a-Network", "arn", "REVIEW_IN_PROGRESS", now, {}, [])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answers.pop(0))
    start = datetime.now(UTC)
    deploy_module.deploy(boto3.Session(), {"name": "a"}, (), yes=False)
    assert answers == []
    if hours is None:
        assert account.settings["expires_at"] == ""
    else:
        age = datetime.fromisoformat(account.settings["expires_at"]) - start - timedelta(hours=hours)
        assert timedelta(0) <= age < timedelta(minutes=2)
    # An existing deployment keeps its expiry.
    answers.append("y")
    deploy_module.deploy(boto3.Session(), {"name": "a"}, (), yes=False)


def test_interrupted_question_changes_nothing(account: RecordedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", interrupt)
    with pytest.raises(OperationError, match="Nothing was changed"):
        deploy_module.deploy(boto3.Session(), {"name": "a"}, (), yes=False)
    assert account.stacks == {}
