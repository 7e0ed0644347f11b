"""What the roles of the deployed stacks may do, right by right, and how to take one of them away for a while."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.sandbox import Sandbox
from tests.permissions.decisions import Decision
from tests.permissions.names import Names

# Who makes these is the CDK, for itself: helper functions that it adds to stacks, and what `cdk bootstrap` makes.
_OF_HELPERS = "Custom::"
_OF_BOOTSTRAP = "cdk-"


@dataclass(frozen=True)
class Role:
    """path: of its construct, with its stack first; name: in the account"""

    path: str
    name: str


@dataclass(frozen=True)
class Grant:
    """One action on one resource, as a statement of a role's policy allows it.

    resource: as the policy has it, wildcards included; told: for people
    conditions: JSON; empty if there are none
    """

    role: Role
    policy: str
    action: str
    resource: str
    told: str
    conditions: str = ""

    @property
    def statement(self) -> dict[str, Any]:
        """Of a policy that allows just this."""
        statement: dict[str, Any] = {"Effect": "Allow", "Action": self.action, "Resource": self.resource}
        return statement | ({"Condition": json.loads(self.conditions)} if self.conditions else {})

    def covers(self, decision: Decision) -> bool:
        """Whether this is what that decision was about, allowed or denied."""
        return decision.role == self.role.name and decision.is_by(self.statement)

    @property
    def condition(self) -> str:
        """The conditions for people, such as `aws:SourceIp IpAddress 203.0.113.7/32`."""
        tests = json.loads(self.conditions or "{}").items()
        return " and ".join(f"{key} {test} {value}" for test, keys in tests for key, value in keys.items())

    def __str__(self) -> str:
        return f"{self.action} on {self.told}{f' if {self.condition}' if self.conditions else ''}"


def roles(names: Names) -> tuple[list[Role], list[Role]]:
    """Those of the stacks' own, and those of the CDK's helpers."""
    every = sorted((found.path, found.name) for found in names.of_kind("AWS::IAM::Role"))
    own = [Role(*found) for found in every if _OF_HELPERS not in found[0]]
    return own, [Role(*found) for found in every if _OF_HELPERS in found[0]]


def bootstrap_roles(sandbox: Sandbox) -> list[str]:
    """The names of the roles that `cdk bootstrap` has made."""
    pages = sandbox.client("iam").get_paginator("list_roles").paginate()
    every = [role["RoleName"] for page in pages for role in page["Roles"]]
    return sorted(name for name in every if name.startswith(_OF_BOOTSTRAP))


def grants(sandbox: Sandbox, names: Names, role: Role) -> list[Grant]:
    """Each right of a role. Raises ValueError if it has some that are not in a policy of its own, or none can read."""
    iam = sandbox.client("iam")
    if iam.list_attached_role_policies(RoleName=role.name)["AttachedPolicies"]:
        raise ValueError(f"{role.path} has managed policies: whoever writes those decides what it may do")
    return [
        Grant(
            role,
            policy,
            action,
            resource,
            names.told(resource),
            json.dumps(statement["Condition"]) if "Condition" in statement else "",
        )
        for policy in iam.list_role_policies(RoleName=role.name)["PolicyNames"]
        for statement in iam.get_role_policy(RoleName=role.name, PolicyName=policy)["PolicyDocument"]["Statement"]
        for action, resource in _pairs(role, statement)
    ]


@contextmanager
def taken_away(sandbox: Sandbox, grant: Grant, others: list[Grant]) -> Iterator[None]:
    """While the block runs, the role has all its rights but this one. others: of the same role, this one among them"""
    iam = sandbox.client("iam")
    policy = {"RoleName": grant.role.name, "PolicyName": grant.policy}
    usual = iam.get_role_policy(**policy)["PolicyDocument"]
    left = [other.statement for other in others if other.policy == grant.policy and other != grant]
    if left:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": usual["Version"], "Statement": left}))
    else:
        iam.delete_role_policy(**policy)
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(usual))


def _pairs(role: Role, statement: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if statement["Effect"] != "Allow" or not {"Action", "Resource"} <= statement.keys():
        raise ValueError(f"{role.path}: a statement that does not simply allow cannot be tried: {statement}")
    for action in _list(statement["Action"]):
        for resource in _list(statement["Resource"]):
            yield action, resource


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
