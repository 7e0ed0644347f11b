"""Deletes a deployment from an AWS account."""

import boto3

from operations.account import current_account
from operations.confirm import confirm
from operations.deployed_stacks import delete_stacks, deployment_names, find_stacks
from operations.expiry import EXPIRY

_NOT_DELETED = """
These resources do not belong to the deployment and remain, for your next one:
- Stack CDKToolkit of `cdk bootstrap`: roles, a parameter, and an empty repository. Free.
- Bucket cdk-hnb659fds-assets-{number}-{region} of `cdk bootstrap`: the deployed code. Less than $0.01 a month.
- Service-linked roles (AWSServiceRoleFor…) of ECS, Batch, Spot, ELB, EC2 and Application Auto Scaling. Free.
- KMS key aws/ebs, which AWS creates with the first encrypted volume. Free; you cannot delete it.
- Key pair LightsailDefaultKeyPair, which AWS creates with the first Lightsail instance. Free.
- Inactive ECS task definitions and Batch job definitions, which Batch lists for 180 days. Free."""


def destroy(session: boto3.Session, name: str, *, yes: bool) -> None:
    """Destroy all stacks of a deployment, also those that are no longer in the app.

    Args:
        session: Credentials and region.
        name: The setting `name` of the deployment.
        yes: Skip the confirmation.

    Raises:
        OperationError: The user did not confirm, or stacks remain.
    """
    account = current_account(session)
    stacks = find_stacks(session, name)
    if not stacks:
        others = ", ".join(deployment_names(session)) or "none"
        print(f"No stacks of {name} in {account}. Deployments there: {others}.")
        return
    print(f"\nThis will destroy in {account}, as {account.caller}:")
    print(f"  the stacks of {name}: {', '.join(sorted(stacks))}")
    print("  with all photos, thumbnails, albums, images, and logs in them")
    confirm("Destroy?", yes=yes)
    # First, because its next run would delete stacks at the same time.
    delete_stacks(session, {EXPIRY: stacks.pop(EXPIRY)} if EXPIRY in stacks else {})
    delete_stacks(session, stacks)
    print(f"\nDeleted all stacks of {name} in {account}.")
    print(_NOT_DELETED.format(number=account.number, region=account.region))
