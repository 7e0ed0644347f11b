"""The expiry of a deployment in `make deploy`. `tests/e2e/deployments/test_expiry.py` lets one expire."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from operations import deploy as deploy_module
from operations.deployed_stacks import DeployedStack
from operations.errors import OperationError
from tests.operations.recorded_account import RecordedAccount

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
