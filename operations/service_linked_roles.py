"""The roles by which AWS services act in an account, which they make when they are first used.

ECS makes its own too late: in a new account the first cluster with capacity providers fails with "Unable to assume the
service linked role", and a second deployment succeeds (cloudformation-coverage-roadmap issue 818, openemr-on-ecs
issue 8). Spot hosts need one that nobody makes for AWS Batch (Batch guide, "Amazon EC2 spot fleet role").
"""

from collections.abc import Collection
from typing import Any

import boto3
from botocore.exceptions import ClientError

from operations.account import Account

_NEEDED_BY = {
    "ecs.amazonaws.com": {"Batch", "Ecs"},
    "spot.amazonaws.com": {"Batch"},
}


def create_service_linked_roles(session: boto3.Session, account: Account, stacks: Collection[str]) -> list[str]:
    """Make what these stacks need and the account has not got. Returns the names of the roles made.

    What the caller has no right to make, is left to the services.
    """
    iam = session.client("iam", region_name=account.region)
    made = []
    for service, needed_by in _NEEDED_BY.items():
        try:
            if not needed_by.isdisjoint(stacks) and not _has_role(iam, service):
                made.append(iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
    return made


def _has_role(iam: Any, service: str) -> bool:
    return bool(iam.list_roles(PathPrefix=f"/aws-service-role/{service}/")["Roles"])
