"""What `make deploy` deletes and deploys, and in which order.

`tests/e2e/deployments/test_deploy.py` deploys.
"""

import re
from collections.abc import Callable

import boto3
import pytest
from botocore.credentials import Credentials

from operations.errors import OperationError
from stacks.support.settings import recorded_settings
from tests.operations.recorded_account import RecordedAccount


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
    assert account.stacks.keys() == account.dependencies.keys() - {"Workers"}


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
