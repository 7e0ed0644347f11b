"""Least privilege: all probes against the deployed policies. `make permissions` revokes every permission in turn."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from local.sandbox import Sandbox
from tests.permissions.authorization import AuthorizationLog
from tests.permissions.compute import ROLES
from tests.permissions.probe import ProbeFailed
from tests.permissions.probes import api, batch
from tests.permissions.report import REPORT, permissions_on
from tests.permissions.roles import Permission, revoked
from tests.permissions.trials import Findings, PermissionTrials


@pytest.fixture(scope="module")
def log(sandbox: Sandbox) -> Iterator[AuthorizationLog]:
    with AuthorizationLog(sandbox.emulator) as log:
        yield log


@pytest.fixture(scope="module")
def trials(sandbox: Sandbox, log: AuthorizationLog) -> Iterator[PermissionTrials]:
    trials = PermissionTrials(sandbox, log)
    yield trials
    trials.clean_up()


@pytest.fixture(scope="module")
def findings(trials: PermissionTrials) -> Findings:
    """The results of all probes with all permissions."""
    return trials.run_all_probes()


@pytest.mark.guarantee("Least privilege")
def test_roles_have_exactly_the_permissions_that_probes_use(findings: Findings) -> None:
    assert findings.problems == []


def test_report_lists_exactly_the_deployed_permissions(findings: Findings) -> None:
    permissions = [it.permission for it in findings.items]
    on_page = {
        it for it in permissions_on(REPORT.read_text()) if not it[0].startswith((*ROLES["fargate"], *ROLES["ec2"]))
    }
    assert on_page == {(it.role.path, it.action, it.scope) for it in permissions}


def _is_sampled(permission: Permission) -> bool:
    return permission.role.path.startswith("Ecs/") or permission.action in ("dynamodb:PutItem", "s3:ListBucket")


@pytest.mark.guarantee("Least privilege")
def test_probes_fail_without_a_permission(trials: PermissionTrials, findings: Findings) -> None:
    trials.revoke_each(findings, _is_sampled)
    assert findings.problems == []
    assert {it.permission.role.path for it in findings.necessary} >= {
        "Api/FunctionRole",
        "Batch/BindRole",
        "Batch/PageRole",
        "Cron/FunctionRole",
        "Ecs/Ec2Task/ExecutionRole",
        "Thumbnails/FunctionRole",
    }


@pytest.fixture
def duplicate(sandbox: Sandbox, findings: Findings) -> Iterator[Permission]:
    """A permission that a second policy of its role also allows, with another permission that no probe uses."""
    (permission,) = (it.permission for it in findings.items if it.permission.action == "dynamodb:PutItem")
    unused = permission.statement | {"Action": "dynamodb:DeleteTable"}
    policy = {"RoleName": permission.role.name, "PolicyName": "duplicate"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [permission.statement, unused]})
    sandbox.client("iam").put_role_policy(**policy, PolicyDocument=document)
    yield permission
    sandbox.client("iam").delete_role_policy(**policy)


def test_unused_and_duplicate_permissions_are_problems(
    sandbox: Sandbox, log: AuthorizationLog, duplicate: Permission
) -> None:
    trials = PermissionTrials(sandbox, log, [api.registers_upload])
    findings = trials.run_all_probes()
    unused = replace(duplicate, action="dynamodb:DeleteTable")
    assert f"Api/FunctionRole: {unused}: no probe uses it" in findings.problems
    trials.revoke_each(findings, lambda permission: permission == duplicate)
    assert f"Api/FunctionRole: {duplicate}: no probe fails without it" in findings.problems
    assert findings.necessary == []
    trials.clean_up()


def test_probe_fails_when_the_role_lacks_a_permission(
    sandbox: Sandbox, log: AuthorizationLog, findings: Findings
) -> None:
    of_role = [it.permission for it in findings.items if it.permission.role.path == "Batch/BindRole"]
    (missing,) = (it for it in of_role if it.action == "s3:ListBucket")
    trials = PermissionTrials(sandbox, log, [batch.reports_missing_page])
    with revoked(sandbox, missing, of_role), pytest.raises(ProbeFailed, match="AccessDenied"):
        trials.run_all_probes()
    trials.clean_up()
