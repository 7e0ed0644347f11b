"""Least privilege: all work of all roles, held against their policies. `make permissions` takes every right away."""

import json
from collections.abc import Iterator

import pytest

from local.sandbox import Sandbox
from tests.permissions.decisions import Decisions
from tests.permissions.grants import Grant
from tests.permissions.page import PAGE, rights
from tests.permissions.probes import api, batch
from tests.permissions.run import Findings, Privileges


@pytest.fixture(scope="module")
def decisions(sandbox: Sandbox) -> Iterator[Decisions]:
    with Decisions(sandbox.emulator) as decisions:
        yield decisions


@pytest.fixture(scope="module")
def privileges(sandbox: Sandbox, decisions: Decisions) -> Iterator[Privileges]:
    privileges = Privileges(sandbox, decisions)
    yield privileges
    privileges.clean()


@pytest.fixture(scope="module")
def found(privileges: Privileges) -> Findings:
    """What all work has shown, with all rights."""
    return privileges.used()


@pytest.mark.guarantee("Least privilege")
def test_what_is_needed_is_granted_and_what_is_granted_is_used(found: Findings) -> None:
    assert found.problems == []


def test_the_page_tells_of_just_these_rights(found: Findings) -> None:
    assert rights(PAGE.read_text()) == {
        (it.grant.role.path, it.grant.action, it.grant.told + (it.grant.condition and f" if {it.grant.condition}"))
        for it in found.findings
    }


def _few(grant: Grant) -> bool:
    return grant.role.path.startswith("Ecs/") or grant.action in ("dynamodb:PutItem", "s3:ListBucket")


def test_without_some_right_its_work_fails(privileges: Privileges, found: Findings) -> None:
    privileges.missed(found, _few)
    assert found.problems == []
    assert {it.grant.role.path for it in found.taken} >= {
        "Api/FunctionRole",
        "Batch/BindRole",
        "Batch/PageRole",
        "Cron/FunctionRole",
        "Ecs/Ec2Task/ExecutionRole",
        "Thumbnails/FunctionRole",
    }


@pytest.fixture
def granted_twice(sandbox: Sandbox, found: Findings) -> Iterator[Grant]:
    """A right that a second policy of its role gives too, with another one that nothing uses."""
    (grant,) = (it.grant for it in found.findings if it.grant.action == "dynamodb:PutItem")
    unused = grant.statement | {"Action": "dynamodb:DeleteTable"}
    policy = {"RoleName": grant.role.name, "PolicyName": "again"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [grant.statement, unused]})
    sandbox.client("iam").put_role_policy(**policy, PolicyDocument=document)
    yield grant
    sandbox.client("iam").delete_role_policy(**policy)


def test_a_right_too_much_is_told(sandbox: Sandbox, decisions: Decisions, granted_twice: Grant) -> None:
    privileges = Privileges(sandbox, decisions, [api.announces])
    found = privileges.used()
    assert f"Api/FunctionRole: dynamodb:DeleteTable on {granted_twice.told}: nothing uses it" in found.problems
    privileges.missed(found, lambda grant: grant == granted_twice)
    assert f"Api/FunctionRole: {granted_twice}: nothing fails by being denied it" in found.problems
    assert found.taken == []
    privileges.clean()


def test_a_right_that_is_missing_is_told(sandbox: Sandbox, decisions: Decisions, found: Findings) -> None:
    role = next(it.grant.role.name for it in found.findings if it.grant.role.path == "Batch/BindRole")
    iam = sandbox.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    left = [statement for statement in policy["Statement"] if statement["Action"] != "s3:ListBucket"]
    lesser = json.dumps(policy | {"Statement": left})
    privileges = Privileges(sandbox, decisions, [batch.bind_without_page])
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=lesser)
    try:
        with pytest.raises(RuntimeError, match=r"its log says which: .*AccessDenied"):
            privileges.used()
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    privileges.clean()
