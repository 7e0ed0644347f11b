"""Service-linked roles in an account that has not used the services yet."""

from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from operations.account import Account
from operations.service_linked_roles import create_service_linked_roles

_ACCOUNT = Account("123456789012", "eu-central-1", "caller")


@pytest.mark.parametrize(
    ("stacks", "services"),
    [
        ({"Network", "Thumbnails", "Cron"}, set()),
        ({"Network", "Ecs"}, {"ecs"}),
        ({"Network", "Batch"}, {"ecs", "spot"}),
    ],
)
def test_roles_that_stacks_need_are_created_once(stacks: set[str], services: set[str]) -> None:
    with mock_aws():
        session = boto3.Session()
        created = create_service_linked_roles(session, _ACCOUNT, stacks)
        roles = session.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
        assert {role["Path"] for role in roles} == {f"/aws-service-role/{name}.amazonaws.com/" for name in services}
        assert sorted(created) == sorted(role["RoleName"] for role in roles)
        assert create_service_linked_roles(session, _ACCOUNT, stacks) == []


def _session(code: str) -> Mock:
    """Return a session whose IAM client fails to create roles with an error code."""
    session = Mock()
    session.client().list_roles.return_value = {"Roles": []}
    error = ClientError({"Error": {"Code": code}}, "CreateServiceLinkedRole")
    session.client().create_service_linked_role.side_effect = error
    return session


def test_roles_are_skipped_when_the_caller_has_no_permission() -> None:
    assert create_service_linked_roles(_session("AccessDenied"), _ACCOUNT, {"Batch"}) == []


def test_other_iam_errors_are_raised() -> None:
    with pytest.raises(ClientError, match="ServiceFailure"):
        create_service_linked_roles(_session("ServiceFailure"), _ACCOUNT, {"Batch"})
