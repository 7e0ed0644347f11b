"""The outputs of a deployed stack."""

import boto3
from botocore.exceptions import ClientError


class NotDeployedError(RuntimeError):
    """The stack is not in this account and region."""


def stack_outputs(session: boto3.Session, name: str, stack: str) -> dict[str, str]:
    """Outputs by name of the stack with this id, deployed under this setting `name`. Raises NotDeployedError."""
    stack_name = f"{name}-{stack}"
    cloudformation = session.client("cloudformation")
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"].get("Code") == "ValidationError":
            region = cloudformation.meta.region_name
            raise NotDeployedError(f"There is no stack {stack_name} in {region}.") from error
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
