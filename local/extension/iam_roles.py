"""Acting as a role: by credentials that the emulator accepts and holds to the role, or as a service that has it."""

import os
from typing import Any

import boto3
from botocore.config import Config
from ministack.core import iam_evaluator
from ministack.core.responses import get_region
from ministack.services import sts


def extend() -> None:
    """Change nothing: stop early if what is needed is gone."""
    sts.register_session, sts._gen_session_access_key, sts._gen_secret, sts._gen_session_token, sts._role_id  # noqa: B018
    iam_evaluator.evaluate, iam_evaluator._gather_role_policies, iam_evaluator.caller_arn  # noqa: B018


def endpoint() -> str:
    """The URL of the emulator this runs in."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def session_environment(role_arn: str, session_name: str) -> dict[str, str]:
    """Environment variables with which a program acts as this role, for as long as the emulator runs."""
    account, name = _parts(role_arn)
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
    """Whether a service that was given this role may do this: Lambda read a queue, ECS fetch an image."""
    account, name = _parts(role_arn)
    session = f"arn:aws:sts::{account}:assumed-role/{name}/service"
    asked = iam_evaluator.EvalContext(session, "AssumedRole", account, action, resource, get_region())
    decision: str = iam_evaluator.evaluate(asked, iam_evaluator._gather_role_policies(name, account)).decision
    return decision == "Allow"


def require_permission(role_arn: str | None, action: str, resource: str) -> None:
    """Raises PermissionError where the service may not do this. Without a role, the host's own would be asked."""
    if role_arn and not is_allowed(role_arn, action, resource):
        raise PermissionError(f"{role_arn} is not authorized to perform: {action} on resource: {resource}")


def calling_role() -> str | None:
    """The ARN of the role that makes the call which is being answered; None if whoever does has none."""
    arn: str = iam_evaluator.caller_arn()
    _, _, session = arn.partition(":assumed-role/")
    return f"arn:aws:iam::{arn.split(':')[4]}:role/{session.partition('/')[0]}" if session else None


def client_for_role(service: str, role_arn: str, session_name: str) -> Any:
    """A boto3 client of the emulator that acts as this role. Never call it on the emulator's event loop: it waits."""
    given = session_environment(role_arn, session_name)
    return boto3.client(  # type: ignore[call-overload]  # the name is not known to the type checker
        service,
        endpoint_url=endpoint(),
        region_name=get_region(),
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=given["AWS_SESSION_TOKEN"],
        config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 1}),
    )


def _parts(role_arn: str) -> tuple[str, str]:
    """Account and name."""
    return role_arn.split(":")[4], role_arn.rpartition("/")[2]
