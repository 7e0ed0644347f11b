"""A deployment in an AWS account, as the target of the end-to-end tests."""

import os
from dataclasses import dataclass
from typing import Any, Self

import boto3

from local.deployment import Deployment
from operations.account import create_session, current_account
from operations.cdk import cdk_json_context
from operations.deployed_stacks import find_stacks
from operations.errors import OperationError


@dataclass
class AccountDeployment(Deployment):
    """The deployment with the setting `name` in the account and region of a session."""

    session: boto3.Session
    name: str

    @classmethod
    def from_environment(cls) -> Self:
        """Return the deployment that the variable E2E_NAME selects, or else cdk.json.

        Raises:
            OperationError: A stack is missing, or the deployment contains photos, which the tests would delete.
        """
        session = create_session()
        name = os.environ.get("E2E_NAME") or cdk_json_context()["name"]
        account = current_account(session)
        stacks = find_stacks(session, name)
        if missing := {"Api", "Batch", "Cron", "Ecs", "Thumbnails"} - stacks.keys():
            stacks_text = ", ".join(sorted(missing))
            raise OperationError(f"{name} in {account} lacks {stacks_text}. Run: make deploy name={name}")
        deployment = cls(session, name, outputs={stack.id: dict(stack.outputs) for stack in stacks.values()})
        if photos := len(deployment.table_items(deployment.outputs["Thumbnails"]["CatalogueTable"])):
            raise OperationError(
                f"{name} in {account} contains {photos} photos, and the tests delete all photos. "
                "Test another deployment: make deploy name=tests, then set E2E_NAME=tests."
            )
        return deployment

    def client(self, service: str) -> Any:
        """Return the boto3 client of an AWS service."""
        return self.session.client(service)  # type: ignore[call-overload]  # mypy needs a literal service name

    def stack_name(self, stack: str) -> str:
        """Return the name of the stack with this id."""
        return f"{self.name}-{stack}"
