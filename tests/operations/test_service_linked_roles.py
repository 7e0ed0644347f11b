"""Roles of AWS services in an account that has not used them yet."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from operations.account import Account
from operations.service_linked_roles import create_service_linked_roles

_ACCOUNT = Account("123456789012", "eu-central-1", "someone")


@pytest.mark.parametrize(
    ("stacks", "services"),
    [
        ({"Network", "Thumbnails", "Cron"}, set()),
        ({"Network", "Ecs"}, {"ecs"}),
        ({"Network", "Batch"}, {"ecs", "spot"}),
    ],
)
def test_makes_the_roles_that_stacks_need(stacks: set[str], services: set[str]) -> None:
    with mock_aws():
        session = boto3.Session()
        made = create_service_linked_roles(session, _ACCOUNT, stacks)
        roles = session.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
        assert {role["Path"] for role in roles} == {f"/aws-service-role/{name}.amazonaws.com/" for name in services}
        assert sorted(made) == sorted(role["RoleName"] for role in roles)
        assert create_service_linked_roles(session, _ACCOUNT, stacks) == [], "they are there already"


class _Iam:
    """An account in which every such role is refused with this code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def client(self, service: str, region_name: str) -> "_Iam":
        return self

    def list_roles(self, PathPrefix: str) -> dict[str, Any]:
        return {"Roles": []}

    def create_service_linked_role(self, AWSServiceName: str) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": self.code, "Message": AWSServiceName}}, "CreateServiceLinkedRole")


def test_who_may_not_make_them_leaves_it_to_the_services() -> None:
    refused = _Iam("AccessDenied")
    assert create_service_linked_roles(refused, _ACCOUNT, {"Batch"}) == []  # type: ignore[arg-type]  # all that is used of it


def test_what_else_goes_wrong_is_told() -> None:
    with pytest.raises(ClientError, match="ecs"):
        create_service_linked_roles(_Iam("ServiceFailure"), _ACCOUNT, {"Batch"})  # type: ignore[arg-type]  # all that is used
