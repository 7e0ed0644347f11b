"""Checks an account for known causes of a failed first deployment. Changes nothing."""

import re
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.account import current_account
from operations.cdk import synthesize
from operations.errors import OperationError
from operations.preflight.account_checks import ACCOUNT_CHECKS
from operations.preflight.checks import Check, Deployment, NotCheckedError
from operations.preflight.quota_checks import QUOTA_CHECKS

CHECKS = (*ACCOUNT_CHECKS, *QUOTA_CHECKS)


def preflight(session: boto3.Session, settings: Mapping[str, str], stacks: Collection[str]) -> None:
    """Check the account for a deployment of stacks and their dependencies, or of all stacks.

    Args:
        session: Credentials and region.
        settings: Settings that override those in cdk.json, and `name`.
        stacks: Ids of the stacks; all if empty.

    Raises:
        OperationError: AWS rejects the credentials, or a check failed.
    """
    account = current_account(session)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), settings)
        check(Deployment(session, account, assembly, frozenset(assembly.to_deploy(stacks)), settings["name"]))


def check(deployment: Deployment) -> None:
    """Run all checks and print one line for each.

    Raises:
        OperationError: A check failed.
    """
    print(f"\nPreflight checks of {deployment.account}:")
    failed = [item.title for item in CHECKS if not _passes(item, deployment)]
    if failed:
        raise OperationError(
            f"Preflight failed: {', '.join(failed)}. Nothing was changed. Follow the lines marked ✗, then try again."
        )


def _passes(item: Check, deployment: Deployment) -> bool:
    """Run a check and print its result. An item that cannot be checked does not fail."""
    try:
        finding = item.run(deployment)
    except (NotCheckedError, BotoCoreError, ClientError) as error:
        print(f"  - {item.title}: not checked. {_reason(error, item.permissions)}")
        return True
    if finding is None:
        return True
    required = f" (required: {finding.required})" if finding.required else ""
    mark, remedy = ("✓", "") if finding.remedy is None else ("✗", f". {finding.remedy}")
    print(f"  {mark} {item.title}: {' '.join(finding.found.split())}{required}{remedy}")
    return finding.remedy is None


def _reason(error: Exception, permissions: Iterable[str]) -> str:
    """Return why an item cannot be checked, on one line."""
    text = str(error)
    if isinstance(error, ClientError):
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if re.search("AccessDenied|Unauthorized", code):
            return f"Required permission: {', '.join(permissions)}"
        text = f"{error.operation_name} returned {code} {message}"
    return " ".join(text.split())
