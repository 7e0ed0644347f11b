"""Preflight checks stop a deployment that the account cannot hold, and say what to do."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from operations.account import current_account
from operations.cdk import Assembly
from operations.deploy import deploy
from operations.errors import OperationError
from operations.preflight import CHECKS, check
from operations.preflight.checks import Deployment
from tests.operations.stubbed_account import ACCOUNT, StubbedAccount

_README = Path(__file__).parent.parent.parent / "README.md"


@pytest.fixture
def account() -> StubbedAccount:
    return StubbedAccount()


@pytest.fixture
def run(
    account: StubbedAccount, synthesize: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, str]]:
    """Return a function that checks the account and returns the line of each item, by title.

    It asserts that the checks raise an error exactly if an item failed.
    """

    def run(*stacks: str, deleted: str = "", **settings: str) -> dict[str, str]:
        synthesized = Assembly(synthesize(**settings))
        chosen, to_delete = frozenset(synthesized.to_deploy(stacks)), frozenset(deleted.split())
        error = None
        try:
            check(Deployment(account.session, ACCOUNT, synthesized, chosen, "photos", to_delete))
        except OperationError as raised:
            error = str(raised)
        lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
        failed = {line[2:].partition(":")[0] for line in lines if line.startswith("✗")}
        assert (error is not None) == bool(failed)
        assert all(title in str(error) for title in failed)
        return {line[2:].partition(":")[0]: line for line in lines}

    return run


def test_account_with_enough_of_everything_passes(run: Callable[..., dict[str, str]]) -> None:
    lines = run()
    assert lines.keys() == {item.title for item in CHECKS}
    assert [line for line in lines.values() if not line.startswith("✓")] == []


def test_readme_lists_the_permissions_of_the_calls(account: StubbedAccount, run: Callable[..., object]) -> None:
    run()
    declared = {permission for item in CHECKS for permission in item.permissions}
    assert set(account.actions) == declared
    (paragraph,) = re.findall(r"`make preflight` checks .*?\n\d\. ", _README.read_text(), re.DOTALL)
    assert set(re.findall(r"`(\w+:\w+)`", paragraph)) == declared


_ACTIONS = sorted({permission for item in CHECKS for permission in item.permissions})


@pytest.mark.parametrize("action", _ACTIONS)
def test_items_without_permission_are_not_checked(
    account: StubbedAccount, run: Callable[..., dict[str, str]], action: str
) -> None:
    account.errors[action] = "UnauthorizedOperation" if action.startswith("ec2:") else "AccessDeniedException"
    lines = run()
    for item in CHECKS:
        not_checked = f"- {item.title}: not checked. Required permission: {', '.join(item.permissions)}"
        expected = not_checked if action in item.permissions else f"✓ {item.title}: "
        assert lines[item.title].startswith(expected)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("NoSuchResourceException", "GetServiceQuota returned NoSuchResourceException first line second line"),
        (ConnectTimeoutError(endpoint_url="https://quotas"), 'Connect timeout on endpoint URL: "https://quotas"'),
    ],
)
def test_items_that_aws_does_not_answer_are_not_checked(
    account: StubbedAccount, run: Callable[..., dict[str, str]], error: str | Exception, reason: str
) -> None:
    account.errors["servicequotas:GetServiceQuota"] = error
    assert run()["Fargate Spot vCPUs"] == f"- Fargate Spot vCPUs: not checked. {reason}"


def test_quotas_below_the_need_of_the_templates_fail(
    account: StubbedAccount, run: Callable[..., dict[str, str]]
) -> None:
    required = {
        "L-1216C47A": ("EC2 On-Demand vCPUs", 2),
        "L-34B43A08": ("EC2 Spot vCPUs", 1),
        "L-3032A538": ("Fargate On-Demand vCPUs", 0.25),
        "L-36FBB829": ("Fargate Spot vCPUs", 0.75),
        "L-53DA6B97": ("Application Load Balancers", 1),
        "L-5ED1D25B": ("Concurrent CodeBuild builds", 1),
    }
    account.quotas = {code: value for code, (_, value) in required.items()}
    assert {line[0] for line in run().values()} == {"✓"}
    account.quotas = {code: value / 2 for code, value in account.quotas.items()}
    failed = {title: line for title, line in run().items() if line.startswith("✗")}
    assert failed.keys() == {title for title, _ in required.values()}
    for code, (title, value) in required.items():
        assert failed[title].startswith(f"✗ {title}: {value / 2:g} (required: {value:g})")
        assert re.search(rf"https://{ACCOUNT.region}\.\S+/{code}$", failed[title])


@pytest.mark.parametrize(
    ("value", "required"), [("lambda-image", (2, 0.75)), ("fargate", (2, 0.75 + 4)), ("ec2", (2 + 1, 0.75))]
)
def test_quotas_cover_the_workers(
    run: Callable[..., dict[str, str]], value: str, required: tuple[float, float]
) -> None:
    lines = run(thumbnails_on=value)
    for title, vcpus in zip(("EC2 On-Demand vCPUs", "Fargate Spot vCPUs"), required, strict=True):
        assert lines[title].endswith(f"(required: {vcpus:g})")


_WITH_T4G = {"t4g.micro", "t4g.small"}

# What an account has, and the line of the item about it.
_LINES: dict[str, tuple[dict[str, Any], str]] = {
    "concurrency for uploads and requests": ({"concurrency": 6}, "✓ Lambda concurrency: "),
    "too little concurrency": ({"concurrency": 5}, "✗ Lambda concurrency: 5 (required: 6). "),
    "free plan with an instance type of Batch": (
        {"plan": "FREE", "free_types": {*_WITH_T4G, "c7g.medium"}},
        "✓ Account plan: ",
    ),
    "free plan without the instance of ECS": (
        {"plan": "FREE", "free_types": {"t4g.micro", "c7g.medium"}},
        "✗ Account plan: FREE plan, on which EC2 rejects t4g.small (",
    ),
    "unlisted Region": (
        {"missing": ("/eu-central-1", "/services/batch", "/services/codebuild", "/services/lightsail")},
        "- Region: not checked. ",
    ),
    "Region without an instance type": (
        {"errors": {"ec2:DescribeInstanceTypes": "InvalidInstanceType"}},
        "✗ EC2 instance types: first line second line (required: ",
    ),
    "old bootstrap": ({"bootstrap_version": 5}, "✗ CDK bootstrap: version 5 (required: version 6 or later). "),
    "no bootstrap": ({"missing": ("/version",)}, "✗ CDK bootstrap: none "),
}


@pytest.mark.parametrize("account_has", _LINES)
def test_item_passes_fails_or_is_not_checked(
    account: StubbedAccount, run: Callable[..., dict[str, str]], account_has: str
) -> None:
    values, line = _LINES[account_has]
    vars(account).update(values)
    assert run()[line[2:].partition(":")[0]].startswith(line)


def test_free_plan_fails_if_it_rejects_the_instance_types(
    account: StubbedAccount, run: Callable[..., dict[str, str]]
) -> None:
    account.plan = "FREE"
    line = run()["Account plan"]
    assert line.startswith("✗ Account plan: FREE plan, on which EC2 rejects c6g.large, c6g.medium, ")
    assert "t4g.micro" not in line
    assert "aws freetier upgrade-account-plan --account-plan-type PAID" in line
    assert line.endswith('STACKS="Cron Network Registry Thumbnails"')  # those that do not need Batch


def test_free_plan_rejects_the_instances_of_workers(
    account: StubbedAccount, run: Callable[..., dict[str, str]]
) -> None:
    account.plan = "FREE"
    account.free_types |= {"c6g.medium"}  # for Batch
    assert run(thumbnails_on="fargate")["Account plan"].startswith("✓")
    line = run(thumbnails_on="ec2")["Account plan"]
    assert line.startswith("✗ Account plan: FREE plan, on which EC2 rejects c7g.medium (")
    assert line.endswith('STACKS="Api Batch Cron Lightsail Network Registry Thumbnails" thumbnails_on=lambda')


def test_zones_without_an_instance_type_fail(account: StubbedAccount, run: Callable[..., dict[str, str]]) -> None:
    account.offered = lambda name: name != "c7g.medium"  # Batch has others.
    assert run(thumbnails_on="fargate")["EC2 instance types"].startswith("✓")
    failed = "✗ EC2 instance types: no c7g.medium in eu-central-1a, eu-central-1b ("
    assert run(thumbnails_on="ec2")["EC2 instance types"].startswith(failed)
    account.offered = lambda name: name == "t4g.small"
    line = run()["EC2 instance types"]
    assert "no c6g.large, c6g.medium, " in line and "t4g.small" not in line


def test_region_without_lightsail_fails(account: StubbedAccount, run: Callable[..., dict[str, str]]) -> None:
    account.missing = ("/services/lightsail",)
    line = run()["Region"]
    assert line.startswith("✗ Region: eu-central-1 has no Lightsail (required: Batch, CodeBuild, Lightsail). ")
    assert "export AWS_REGION=us-east-1" in line
    stacks = re.findall(r'STACKS="(.*)"', line)[0].split()
    assert "Lightsail" not in stacks
    assert run(*stacks)["Region"].startswith("✓")


def test_incomplete_stacks_of_the_deployment_fail(account: StubbedAccount, run: Callable[..., dict[str, str]]) -> None:
    delete = "aws cloudformation delete-stack --stack-name photos-"
    remedies = {
        "Api": ("ROLLBACK_COMPLETE", f"{delete}Api"),
        "Batch": ("ROLLBACK_FAILED", f"{delete}Batch"),
        "Cron": ("DELETE_FAILED", f"{delete}Cron"),
        "Ecs": ("REVIEW_IN_PROGRESS", f"{delete}Ecs"),
        "Guardrails": ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name photos-Guardrails"),
        "Network": (
            "UPDATE_ROLLBACK_FAILED",
            "aws cloudformation continue-update-rollback --stack-name photos-Network",
        ),
        "Registry": ("CREATE_IN_PROGRESS", "Wait until the operation on photos-Registry ends"),
    }
    account.stacks = {"photos-Lightsail": "UPDATE_ROLLBACK_COMPLETE"}
    account.stacks |= {f"annas-{stack}": status for stack, (status, _) in remedies.items()}
    assert run()["Stacks"].startswith("✓")
    account.stacks |= {f"photos-{stack}": status for stack, (status, _) in remedies.items()}
    line = run()["Stacks"]
    assert line.startswith("✗") and "Lightsail" not in line and "annas" not in line
    for stack, (status, remedy) in remedies.items():
        assert f"photos-{stack} is {status}" in line and remedy in line


def test_expiry_can_be_changed_while_the_expiry_deletes_the_other_stacks(
    account: StubbedAccount, run: Callable[..., dict[str, str]]
) -> None:
    account.stacks = {"photos-Expiry": "CREATE_COMPLETE", "photos-Ecs": "DELETE_IN_PROGRESS"}
    settings = {"expires_at": "2100-01-01T00:00:00Z"}
    assert run("Expiry", **settings)["Stacks"].startswith("✓")
    assert run("Ecs", **settings)["Stacks"].startswith("✗")


@pytest.mark.parametrize(("status", "mark"), [("ROLLBACK_COMPLETE", "✓"), ("DELETE_IN_PROGRESS", "✗")])
def test_incomplete_stack_that_the_deployment_deletes_passes(
    account: StubbedAccount, run: Callable[..., dict[str, str]], status: str, mark: str
) -> None:
    account.stacks = {"photos-Workers": status}
    assert run(deleted="Workers")["Stacks"].startswith(mark)


def test_only_the_needs_of_the_chosen_stacks_are_checked(run: Callable[..., dict[str, str]]) -> None:
    assert run("Cron").keys() == {"Credentials", "CDK bootstrap", "Stacks", "Lambda concurrency"}
    assert "Lambda concurrency" not in run("Network")


@pytest.mark.parametrize(("minutes", "mark"), [(20, "✗"), (40, "✓")])
def test_session_must_outlast_a_deployment(
    run: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch, minutes: int, mark: str
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat())
    line = run()["Credentials"]
    assert line.startswith(mark) and "(required: 30 minutes)" in line


def test_session_without_a_known_expiry_is_not_checked(
    run: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert run()["Credentials"].startswith("- Credentials: not checked. ")


def test_session_that_the_sdk_renews_passes(
    account: StubbedAccount, run: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expiration = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
    session = {"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "key", "SessionToken": "token"}
    (tmp_path / "session.json").write_text(json.dumps({**session, "Expiration": expiration}))
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path}/session.json\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00Z")  # of other credentials
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    account.session = StubbedAccount().session
    assert run()["Credentials"].startswith("✓")


@pytest.mark.guarantee("Deploys the first time")
@pytest.mark.parametrize(
    ("change", "reported", "remedy"),
    [
        ({"missing": ("/version",)}, "✗ CDK bootstrap: none", "npx cdk bootstrap"),
        ({"errors": {"sts:GetCallerIdentity": "ExpiredToken"}}, "ExpiredToken", "aws sso login"),
    ],
)
def test_deploy_stops_before_it_creates_resources(
    account: StubbedAccount,
    assembly: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    reported: str,
    remedy: str,
) -> None:
    vars(account).update(change)
    monkeypatch.setattr("operations.deploy.synthesize", lambda *_: Assembly(assembly))
    settings = {"name": "photos", "allowed_cidr": "203.0.113.0/24"}
    with pytest.raises(OperationError) as error:  # The account answers no call that creates a resource.
        deploy(account.session, settings, [], yes=True)
    (line,) = [line for line in [*capsys.readouterr().out.splitlines(), str(error.value)] if reported in line]
    assert remedy in line


def test_expired_session_in_environment_variables_is_an_operation_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00Z")
    with pytest.raises(OperationError, match=r"expired.*aws sso login"):
        current_account(boto3.Session())
