"""IAM roles: session credentials that the emulator accepts, and permission checks for AWS services.

The emulator calls its services directly, so it checks no permission when, for example, Lambda reads a queue with the
execution role of a function. Other modules add these checks with `is_allowed` and `require_permission`, and with
`is_service_allowed` for resource policies.
"""

import os
from typing import Any

import boto3
from botocore.config import Config
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import sts


def endpoint() -> str:
    """Return the URL of this emulator."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def session_environment(role_arn: str, session_name: str) -> dict[str, str]:
    """Start a role session that never expires and return the environment variables with its credentials."""
    account, name = _account_and_name(role_arn)
    key, secret, token = sts._gen_session_access_key(), sts._gen_secret(), sts._gen_session_token()
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session_name}",
            "UserId": f"{sts._role_id(role_arn)}:{session_name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def is_allowed(role_arn: str, action: str, resource: str) -> bool:
    """Return whether the policies of a role allow an action on a resource."""
    account, name = _account_and_name(role_arn)
    session = f"arn:aws:sts::{account}:assumed-role/{name}/service"
    request = iam_evaluator.EvalContext(session, "AssumedRole", account, action, resource, get_region())
    decision: str = iam_evaluator.evaluate(request, iam_evaluator._gather_role_policies(name, account)).decision
    return decision == "Allow"


def is_service_allowed(policy: Any, service: str, action: str, resource: str, source_arn: str) -> bool:
    """Return whether a resource policy allows an action to a service, such as `lambda.amazonaws.com`, for a source."""
    request = iam_evaluator.EvalContext(
        service, "Service", "", action, resource, get_region(), service_context={"aws:sourcearn": source_arn}
    )
    return bool(iam_evaluator.evaluate_resource_policy(policy, request, service=service).decision == "Allow")


def require_permission(role_arn: str | None, action: str, resource: str) -> None:
    """Raise PermissionError unless the role allows the action. Without a role, every action is allowed."""
    if role_arn and not is_allowed(role_arn, action, resource):
        raise PermissionError(f"{role_arn} is not authorized to perform: {action} on resource: {resource}")


def calling_role() -> str | None:
    """Return the ARN of the role that made the current request, or None if the caller is not a role."""
    arn: str = iam_evaluator.caller_arn()
    _, _, session = arn.partition(":assumed-role/")
    return f"arn:aws:iam::{arn.split(':')[4]}:role/{session.partition('/')[0]}" if session else None


def client_for_role(service: str, role_arn: str, session_name: str) -> Any:
    """Return a boto3 client that acts as a role. Its calls block, so do not use it on the emulator's event loop."""
    session = session_environment(role_arn, session_name)
    return boto3.client(  # type: ignore[call-overload]  # the type checker does not know the name
        service,
        endpoint_url=endpoint(),
        region_name=get_region(),
        aws_access_key_id=session["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=session["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=session["AWS_SESSION_TOKEN"],
        config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 1}),
    )


def _account_and_name(role_arn: str) -> tuple[str, str]:
    return role_arn.split(":")[4], role_arn.rpartition("/")[2]
