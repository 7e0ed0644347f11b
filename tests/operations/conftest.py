"""Deployments in an account that is only recorded."""

from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from operations import deploy as deploy_module
from tests.operations.recorded_account import RecordedAccount, recorded_account


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordedAccount:
    """The account in which `make deploy` deploys."""
    return recorded_account(monkeypatch, tmp_path)


@pytest.fixture
def deploy(account: RecordedAccount) -> Callable[..., list[str]]:
    """Return a function that deploys, and returns what happened in order."""

    def deploy(*stacks: str, **settings: str) -> list[str]:
        account.log.clear()
        deploy_module.deploy(boto3.Session(), {"name": "a", **settings}, stacks, yes=True)
        return [*account.log]

    return deploy
