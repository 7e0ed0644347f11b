"""Roles of the deployed stacks, their permissions, and how to revoke one permission temporarily."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.sandbox import Sandbox
from tests.permissions.authorization import Decision
from tests.permissions.resources import DeployedResources
from tests.templates import as_list

# The CDK owns these roles: those of the Lambda functions that it adds to stacks, and those of `cdk bootstrap`.
_CUSTOM_RESOURCE_PATH = "Custom::"
_BOOTSTRAP_NAME = "cdk-"


@dataclass(frozen=True)
class Role:
    """An IAM role."""

    path: str  # of its construct; begins with the id of the stack
    name: str  # in the account


@dataclass(frozen=True)
class Permission:
    """One action on one resource that an inline policy of a role allows."""

    role: Role
    policy: str
    action: str
    resource: str  # ARN or pattern, as in the policy
    resource_label: str  # the same with construct paths instead of physical names
    conditions: str = ""  # the condition block as JSON

    @property
    def statement(self) -> dict[str, Any]:
        """A policy statement that allows only this."""
        statement: dict[str, Any] = {"Effect": "Allow", "Action": self.action, "Resource": self.resource}
        return statement | ({"Condition": json.loads(self.conditions)} if self.conditions else {})

    @property
    def scope(self) -> str:
        """The resource and the conditions, such as `bucket/* if aws:SourceIp IpAddress 203.0.113.7/32`."""
        operators = json.loads(self.conditions or "{}").items()
        tests = [f"{key} {operator} {value}" for operator, keys in operators for key, value in keys.items()]
        return self.resource_label + (f" if {' and '.join(tests)}" if tests else "")

    def covers(self, decision: Decision) -> bool:
        """Whether the decision is about a request that this permission allows."""
        return decision.role == self.role.name and decision.matches(self.statement)

    def __str__(self) -> str:
        return f"{self.action} on {self.scope}"


def stack_roles(resources: DeployedResources) -> tuple[list[Role], list[Role]]:
    """Return the roles that the stacks define, and those of the CDK's custom resource providers."""
    roles = sorted(
        (Role(it.path, it.physical_id) for it in resources.of_type("AWS::IAM::Role")), key=lambda it: it.path
    )
    providers = [role for role in roles if _CUSTOM_RESOURCE_PATH in role.path]
    return [role for role in roles if role not in providers], providers


def bootstrap_role_names(sandbox: Sandbox) -> list[str]:
    """Return the names of the roles that `cdk bootstrap` created."""
    pages = sandbox.client("iam").get_paginator("list_roles").paginate()
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    return sorted(name for name in names if name.startswith(_BOOTSTRAP_NAME))


def permissions_of(sandbox: Sandbox, resources: DeployedResources, role: Role) -> list[Permission]:
    """Return each permission of a role.

    Raises:
        ValueError: The role has a managed policy, whose content is AWS's decision, or a statement other than a plain
            Allow.
    """
    iam = sandbox.client("iam")
    if iam.list_attached_role_policies(RoleName=role.name)["AttachedPolicies"]:
        raise ValueError(f"{role.path}: managed policies are not supported, because AWS can change their permissions")
    return [
        Permission(
            role,
            policy,
            action,
            resource,
            resources.readable(resource),
            json.dumps(statement["Condition"]) if "Condition" in statement else "",
        )
        for policy in iam.list_role_policies(RoleName=role.name)["PolicyNames"]
        for statement in iam.get_role_policy(RoleName=role.name, PolicyName=policy)["PolicyDocument"]["Statement"]
        for action, resource in _actions_and_resources(role, statement)
    ]


@contextmanager
def revoked(sandbox: Sandbox, permission: Permission, all_of_role: list[Permission]) -> Iterator[None]:
    """Revoke one permission of a role while the block runs, and keep its other permissions."""
    iam = sandbox.client("iam")
    policy = {"RoleName": permission.role.name, "PolicyName": permission.policy}
    original = iam.get_role_policy(**policy)["PolicyDocument"]
    rest = [it.statement for it in all_of_role if it.policy == permission.policy and it != permission]
    if rest:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps({"Version": original["Version"], "Statement": rest}))
    else:
        iam.delete_role_policy(**policy)
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(original))


def _actions_and_resources(role: Role, statement: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if statement["Effect"] != "Allow" or not {"Action", "Resource"} <= statement.keys():
        raise ValueError(f"{role.path}: only Allow statements with Action and Resource are supported: {statement}")
    for action in as_list(statement["Action"]):
        for resource in as_list(statement["Resource"]):
            yield action, resource
