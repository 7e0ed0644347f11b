"""The name of the deployment that `E2E_TARGET=aws` creates and destroys. The sandbox is the account.

`test_documented_commands.py` runs the tests against such a deployment.
"""

import json

import boto3
import pytest

from local.sandbox import Sandbox
from operations.account import Account
from operations.errors import OperationError
from tests.e2e.account import AccountReport, own_name


@pytest.fixture
def shell(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with the credentials of the sandbox."""
    for name, value in sandbox.emulator.client_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("E2E_NAME", raising=False)
    return monkeypatch


def test_deployment_never_has_the_default_name(shell: pytest.MonkeyPatch) -> None:
    assert own_name(boto3.Session()) == "e2e-tests"
    shell.setenv("E2E_NAME", "other-compute")
    with pytest.raises(OperationError, match="other-compute"):
        own_name(boto3.Session())


def test_existing_deployment_is_not_used(sandbox: Sandbox, shell: pytest.MonkeyPatch) -> None:
    cloudformation = sandbox.client("cloudformation")
    cloudformation.create_stack(
        StackName="annas-Old",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
        Tags=[{"Key": "project", "Value": "annas"}],
    )
    shell.setenv("E2E_NAME", "annas")
    try:
        with pytest.raises(OperationError, match="make destroy name=annas"):
            own_name(boto3.Session())
    finally:
        cloudformation.get_waiter("stack_create_complete").wait(StackName="annas-Old", WaiterConfig={"Delay": 1})
        cloudformation.delete_stack(StackName="annas-Old")


def test_report_names_failures_and_leftovers_without_the_account_number() -> None:
    report = AccountReport(Account("123456789012", "eu-central-1", "caller"), not_run=7, remaining={"sqs left"})
    with report.step("deploy"):
        pass
    report.results = {"test_a": ("passed", 1, ""), "test_b": ("failed", 2, "E  arn:aws:sqs:::123456789012:x")}
    text = report.text()
    assert "1 failed, 1 passed; 7 tests need the emulator" in text
    assert "- `test_b`: E  arn:aws:sqs:::ACCOUNT:x" in text
    assert "sqs left" in text and "eu-central-1" in text and "| deploy | 0 |" in text
    assert "123456789012" not in text
