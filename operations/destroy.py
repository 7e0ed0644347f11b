"""Deletes a deployment from an AWS account."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import boto3

from operations.account import current_account, deployed_stacks
from operations.cdk import cdk_environment, run_cdk, synthesize
from operations.confirm import confirm
from operations.errors import OperationError

_NOT_DELETED = """
These resources do not belong to the deployment and remain:
- From `cdk bootstrap`, for your next deployment: the stack CDKToolkit with its roles, an empty repository, a parameter,
  and the bucket cdk-hnb659fds-assets-{number}-{region}. The bucket holds the deployed code (some megabytes, less than
  $0.01 a month).
- From AWS, free of charge: service-linked roles (AWSServiceRoleFor…), and inactive task definitions and job definitions
  (Batch lists them for 180 days)."""


def destroy(session: boto3.Session, settings: Mapping[str, str], *, yes: bool) -> None:
    """Destroy all stacks of the deployment with the setting `name`.

    Args:
        session: Credentials and region.
        settings: Settings that override those in cdk.json, and `name`.
        yes: Skip the confirmation.

    Raises:
        OperationError: The user did not confirm, or stacks remain.
    """
    account, name = current_account(session), settings["name"]
    if not deployed_stacks(session, account, name):
        print(f"No stacks of {name} in {account}.")
        return
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), settings)
        deployed = deployed_stacks(session, account, name) & assembly.stacks().keys()
        print(f"\nThis will destroy in {account}, as {account.caller}:")
        print(f"  the stacks of {name}: {', '.join(sorted(deployed))}")
        print("  with all photos, thumbnails, albums, images, and logs in them")
        confirm("Destroy?", yes=yes)
        run_cdk(
            "destroy", "--all", "--force", "--app", str(assembly.folder), "--concurrency=4",
            environment=cdk_environment(**account.environment()),
        )  # fmt: skip
    if remaining := deployed_stacks(session, account, name):
        stacks = ", ".join(sorted(remaining))
        raise OperationError(
            f"Not deleted: {stacks}. The CloudFormation events give the reason. Fix it, then run `make destroy` again."
        )
    print(f"\nDeleted all stacks of {name} in {account}.")
    print(_NOT_DELETED.format(number=account.number, region=account.region))
