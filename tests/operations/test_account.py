"""The account that an operation acts on."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from operations.__main__ import main
from operations.account import create_session, current_account
from operations.errors import OperationError


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session()


@pytest.mark.parametrize("operation", ["preflight", "deploy", "destroy", "key", "redrive"])
def test_operations_use_the_region_that_the_cdk_cli_uses(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    regions = []
    function = {"key": "api_key"}.get(operation, operation)
    monkeypatch.setattr(
        f"operations.__main__.{function}", lambda session, *_, **__: regions.append(session.region_name)
    )
    monkeypatch.setattr("operations.__main__.current_account", lambda session: None)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")  # The Python SDK ignores it.
    monkeypatch.setattr("sys.argv", ["operations", operation])
    main()
    assert regions == ["eu-central-1"]


def test_current_account_passes_its_region_to_the_cdk_cli(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    account = current_account(create_session())
    assert (account.number, account.region) == ("123456789012", "eu-central-1")
    assert account.caller.startswith("arn:aws:")
    assert account.environment() == {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}


@pytest.mark.parametrize(
    ("variable", "value"), [("AWS_REGION", "us-esat-1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]
)
def test_current_account_names_the_region_when_no_endpoint_answers(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv(variable, value)
    with pytest.raises(OperationError, match=rf"{value}.*Check the Region"):
        current_account(create_session())


def test_endpoint_without_a_scheme_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:4566")
    with pytest.raises(OperationError, match=r"^AWS_ENDPOINT_URL: expected a URL .* '127\.0\.0\.1:4566'"):
        create_session()
