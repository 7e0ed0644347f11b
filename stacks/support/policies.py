"""Least-privilege policy statements for roles."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam


def allow(role: iam.Role, actions: Sequence[str], *resources: str, conditions: Mapping[str, Any] | None = None) -> None:
    """Allow actions on resources (ARNs).

    Use this instead of `grant_*`, which allows more than the code calls.
    """
    statement = iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    role.add_to_policy(statement)
