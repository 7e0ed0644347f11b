"""The outputs of a deployed stack."""

import boto3
from botocore.exceptions import ClientError


class NotDeployedError(RuntimeError):
    """The stack does not exist in this account and region."""


def stack_outputs(session: boto3.Session, name: str, stack: str) -> dict[str, str]:
    """Return the outputs of a stack by output name.

    Args:
        session: Credentials and region.
        name: The setting `name` of the deployment.
        stack: The id of the stack, such as `Api`.

    Raises:
        NotDeployedError: The stack does not exist.
    """
    stack_name = f"{name}-{stack}"
    cloudformation = session.client("cloudformation")
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"].get("Code") == "ValidationError":
            region = cloudformation.meta.region_name
            raise NotDeployedError(f"Stack {stack_name} does not exist in {region}.") from error
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
