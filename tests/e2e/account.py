"""A copy of the service in the AWS account that the credentials of this shell lead to."""

import json
import os
from dataclasses import dataclass
from typing import Any, Self

import boto3

from local.deployment import Deployment
from local.emulator import ROOT
from operations.account import create_session, current_account, deployed_stacks
from operations.errors import OperationError
from operations.outputs import stack_outputs


@dataclass
class AccountDeployment(Deployment):
    """The copy that has this `name` there."""

    session: boto3.Session
    name: str

    @classmethod
    def from_environment(cls) -> Self:
        """The copy named by E2E_NAME, or as in `cdk.json`. Raises OperationError if it cannot be tested."""
        session = create_session()
        name = os.environ.get("E2E_NAME") or json.loads((ROOT / "cdk.json").read_text())["context"]["name"]
        account = current_account(session)
        stacks = deployed_stacks(session, account, name)
        if lacking := {"Api", "Batch", "Cron", "Ecs", "Thumbnails"} - stacks:
            raise OperationError(f"{name} in {account} lacks {', '.join(sorted(lacking))}: make deploy name={name}")
        copy = cls(session, name, outputs={stack: stack_outputs(session, name, stack) for stack in stacks})
        if photos := len(copy.table_items(copy.outputs["Thumbnails"]["CatalogueTable"])):
            raise OperationError(
                f"{name} in {account} has {photos} photos, and the tests delete every photo. "
                "Test another copy: make deploy name=tests, then E2E_NAME=tests"
            )
        return copy

    def client(self, service: str) -> Any:
        """The boto3 client of a service of the account."""
        return self.session.client(service)  # type: ignore[call-overload]  # the name is not known to the type checker

    def stack_name(self, stack: str) -> str:
        """The name in the account of the stack with this id."""
        return f"{self.name}-{stack}"
