"""The AWS account that the credentials of this shell select."""

import os
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

from operations.errors import OperationError


@dataclass(frozen=True)
class Account:
    """An account and region, and the ARN of the caller."""

    number: str
    region: str
    caller: str

    def __str__(self) -> str:
        return f"account {self.number}, {self.region}"

    def environment(self) -> dict[str, str]:
        """Return the variables that select the same region in the CDK CLI and the Python SDK."""
        return {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}


def create_session() -> boto3.Session:
    """Create a session with the credentials of this shell.

    AWS_REGION selects the region first, as in the CDK CLI. The Python SDK ignores this variable.

    Raises:
        OperationError: No region is selected, or AWS_ENDPOINT_URL is not a URL.
    """
    endpoint_url = os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint_url and not endpoint_url.startswith(("http://", "https://")):
        raise OperationError(
            f"AWS_ENDPOINT_URL: expected a URL such as http://127.0.0.1:4566, but it is {endpoint_url!r}. For an "
            "account, run: unset AWS_ENDPOINT_URL"
        )
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    if not session.region_name:
        raise OperationError(
            "No AWS region is selected. For an account, run: export AWS_REGION=us-east-1. "
            "For the emulator, export what `make local` printed."
        )
    return session


def current_account(session: boto3.Session) -> Account:
    """Return the account of these credentials.

    Raises:
        OperationError: There are no credentials, or AWS rejects them.
    """
    try:
        identity = session.client("sts").get_caller_identity()
    except NoCredentialsError as error:
        raise OperationError("No AWS credentials found: log in, or export AWS_PROFILE.") from error
    except EndpointConnectionError as error:
        raise OperationError(
            f"{error} Check the Region {session.region_name} and the network. If the URL is of an emulator, start it "
            "again with `make local`."
        ) from error
    # Expired credentials in environment variables are a RuntimeError of botocore.
    except (BotoCoreError, ClientError, RuntimeError) as error:
        raise OperationError(
            f"AWS rejects the credentials of this shell: {error} Sign in again, for example with `aws sso login`, and "
            f"check that the account has enabled the Region {session.region_name}."
        ) from error
    return Account(identity["Account"], session.region_name, identity["Arn"])
