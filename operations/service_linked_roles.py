"""Service-linked roles, which AWS services assume in an account.

ECS creates its role too late: in a new account the first cluster with capacity providers fails with "Unable to assume
the service linked role", and a second deployment succeeds (cloudformation-coverage-roadmap issue 818, openemr-on-ecs
issue 8). Spot Instances need a role that no service creates for AWS Batch (Batch guide, "Amazon EC2 spot fleet role").
"""

from collections.abc import Collection
from typing import Any

import boto3
from botocore.exceptions import ClientError

from operations.account import Account

_STACKS_BY_SERVICE = {
    "ecs.amazonaws.com": {"Batch", "Ecs"},
    "spot.amazonaws.com": {"Batch"},
}


def create_service_linked_roles(session: boto3.Session, account: Account, stacks: Collection[str]) -> list[str]:
    """Create the service-linked roles that these stacks need and the account lacks.

    Skips a role that the caller has no permission to list or create, and leaves it to the service.

    Returns:
        The names of the roles created.
    """
    iam = session.client("iam", region_name=account.region)
    created = []
    for service, needed_by in _STACKS_BY_SERVICE.items():
        try:
            if not needed_by.isdisjoint(stacks) and not _role_exists(iam, service):
                created.append(iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
    return created


def _role_exists(iam: Any, service: str) -> bool:
    return bool(iam.list_roles(PathPrefix=f"/aws-service-role/{service}/")["Roles"])
