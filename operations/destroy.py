"""All of it removed from an account again, and what the CDK itself keeps there."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import boto3

from operations.account import current_account, deployed_stacks
from operations.cdk import cdk_environment, run_cdk, synthesize
from operations.confirm import confirm
from operations.errors import OperationError

_STAYS = """
What stays is not of this app. The CDK keeps what it made at bootstrap, for your next deployment: the stack CDKToolkit
with its roles, an empty repository, a parameter, and the bucket cdk-hnb659fds-assets-{number}-{region}, which
holds the code of this deployment (some megabytes, less than a cent a month). AWS keeps the roles of its own that were
made when you first used a service (AWSServiceRoleFor…), and lists the task and job definitions that there were as
inactive, Batch for half a year. Neither costs anything."""


def destroy(session: boto3.Session, settings: Mapping[str, str], *, yes: bool) -> None:
    """Destroy all stacks of this `name`. yes: do not ask. Raises OperationError."""
    account, name = current_account(session), settings["name"]
    if not deployed_stacks(session, account, name):
        print(f"Nothing of {name} is in {account}.")
        return
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), settings)
        there = deployed_stacks(session, account, name) & assembly.stacks().keys()
        print(f"\nThis will destroy in {account}, as {account.caller}:")
        print(f"  the stacks of {name}: {', '.join(sorted(there))}")
        print("  with all photos, thumbnails, albums, images and logs in them")
        confirm("Destroy?", yes=yes)
        run_cdk(
            "destroy", "--all", "--force", "--app", str(assembly.folder), "--concurrency=4",
            environment=cdk_environment(**account.environment()),
        )  # fmt: skip
    if left := deployed_stacks(session, account, name):
        raise OperationError(f"Still there: {', '.join(sorted(left))}. CloudFormation's events say why; try again.")
    print(f"\nNothing of {name} is in {account} any more.")
    print(_STAYS.format(number=account.number, region=account.region))
