"""The AWS account that the credentials of this shell lead to."""

import os
import re
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from operations.errors import OperationError

# What `cdk bootstrap` leaves in each account and region it has prepared.
_BOOTSTRAPPED = "/cdk-bootstrap/hnb659fds/version"


@dataclass(frozen=True)
class Account:
    """Where an operation acts, and as whom."""

    number: str
    region: str
    caller: str

    def __str__(self) -> str:
        return f"account {self.number}, {self.region}"

    def environment(self) -> dict[str, str]:
        """For the CDK command line, which looks for a region in another order than the Python SDK."""
        return {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}


def create_session() -> boto3.Session:
    """By the credentials of this shell. Raises OperationError if no region is chosen.

    In the region of AWS_REGION, if that is set, as the CDK command line takes it: the Python SDK does not read it.
    """
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if not session.region_name:
        raise OperationError(
            "No AWS region is chosen. In the sandbox, export what `make local` printed; "
            "for an account: export AWS_REGION=us-east-1, or another one."
        )
    return session


def current_account(session: boto3.Session) -> Account:
    """The account of these credentials. Raises OperationError if there are none, or AWS does not take them."""
    try:
        identity = session.client("sts").get_caller_identity()
    except NoCredentialsError as error:
        raise OperationError("There are no AWS credentials here: log in, or export AWS_PROFILE.") from error
    except (BotoCoreError, ClientError) as error:
        raise OperationError(f"AWS does not take the credentials of this shell: {error}") from error
    return Account(identity["Account"], session.region_name, identity["Arn"])


def check_bootstrapped(session: boto3.Session, account: Account) -> None:
    """Raises OperationError if the CDK cannot deploy into this account and region yet."""
    ssm = session.client("ssm", region_name=account.region)
    try:
        ssm.get_parameter(Name=_BOOTSTRAPPED)
    except ssm.exceptions.ParameterNotFound as error:
        target = f"aws://{account.number}/{account.region}"
        raise OperationError(
            f"The CDK has not been used in {account} yet. Prepare it, once: npx cdk bootstrap {target}"
        ) from error


def deployed_stacks(session: boto3.Session, account: Account, name: str) -> set[str]:
    """The ids of the stacks that are deployed under this setting `name`."""
    cloudformation = session.client("cloudformation", region_name=account.region)
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    # An id begins with a capital letter, and a name has none: `photos` does not take what is `photos-of-anna`'s.
    ours = re.compile(rf"{re.escape(name)}-([A-Z]\w*)")
    matches = [ours.fullmatch(stack["StackName"]) for page in pages for stack in page["Stacks"]]
    return {match[1] for match in matches if match}
