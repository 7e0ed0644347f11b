"""The account that an operation acts in, and what of us is in it."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from operations.__main__ import main
from operations.account import Account, check_bootstrapped, create_session, current_account, deployed_stacks
from operations.errors import OperationError

_ACCOUNT = Account("123456789012", "eu-central-1", "someone")


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    with mock_aws():
        yield boto3.Session()


def test_says_where_and_as_whom(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    account = current_account(boto3.Session())
    assert str(account) == "account 123456789012, us-west-2"
    assert account.caller.startswith("arn:aws:")


def test_the_region_is_the_one_that_the_cdk_would_take(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")  # which the Python SDK does not read
    account = current_account(create_session())
    assert account.region == "eu-central-1"
    assert account.environment() == {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}


def test_no_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(OperationError, match="No AWS region is chosen"):
        create_session()


def test_every_operation_is_in_that_region(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = []
    for operation in ("deploy", "destroy", "api_key", "redrive"):
        monkeypatch.setattr(
            f"operations.__main__.{operation}", lambda session, *_, **__: regions.append(session.region_name)
        )
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for command in ("deploy", "destroy", "key", "redrive"):
        monkeypatch.setattr("sys.argv", ["operations", command])
        main()
    assert regions == ["eu-central-1"] * 4


def test_no_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(OperationError, match="There are no AWS credentials here"):
        current_account(boto3.Session())


def test_an_account_that_the_cdk_has_not_prepared_is_told_with_what_to_run(session: boto3.Session) -> None:
    with pytest.raises(OperationError, match="npx cdk bootstrap aws://123456789012/eu-central-1"):
        check_bootstrapped(session, _ACCOUNT)


def test_a_prepared_account_is_accepted(session: boto3.Session) -> None:
    ssm = session.client("ssm", region_name="eu-central-1")
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="28", Type="String")
    check_bootstrapped(session, _ACCOUNT)


def test_only_what_has_our_name_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(region_name="eu-central-1")
    cloudformation = session.client("cloudformation")
    names = ("photos-Cron", "photos-Api", "photos-of-anna-Cron", "photos", "photos-x", "my-photos-Ecs", "photos-A-b")
    stacks = [{"StackName": name, "CreationTime": 0, "StackStatus": "CREATE_COMPLETE"} for name in names]
    monkeypatch.setattr(session, "client", lambda *_, **__: cloudformation)
    with Stubber(cloudformation) as stubber:
        stubber.add_response("describe_stacks", {"Stacks": stacks[:3], "NextToken": "more"})
        stubber.add_response("describe_stacks", {"Stacks": stacks[3:]})
        assert deployed_stacks(session, _ACCOUNT, "photos") == {"Cron", "Api"}
