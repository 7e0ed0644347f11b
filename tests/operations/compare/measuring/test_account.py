"""In an account, every deployment of the comparison is destroyed, or the user learns what remains."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import boto3
import pytest

from operations.account import Account
from operations.cdk import Assembly
from operations.compare.measuring import account
from operations.compare.measuring.account import AccountTarget, deployment_name
from operations.compare.measuring.run import STACKS
from operations.deployed_stacks import DeployedStack
from operations.errors import OperationError
from stacks.support.settings import Settings, ThumbnailsOn


class _StubAccount:
    """Deployments by the setting `name`. A test can make operations fail.

    Attributes:
        given: The settings of each deployment that was created.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[Mapping[str, str]] = []
        self.stacks: dict[str, set[str]] = {}
        self.deploy_error: BaseException | None = None
        self.destroy_error: BaseException | None = None
        monkeypatch.setattr(account, "deploy", self._deploy)
        monkeypatch.setattr(account, "destroy", self._destroy)
        monkeypatch.setattr(account, "find_stacks", self._find_stacks)
        monkeypatch.setattr(account, "current_account", lambda _: Account("123456789012", "eu-central-1", "caller"))

    def _deploy(self, session: boto3.Session, given: Mapping[str, str], stacks: Collection[str], *, yes: bool) -> None:
        assert yes
        self.given.append(given)
        self.stacks[given["name"]] = set(stacks)
        if self.deploy_error:
            raise self.deploy_error

    def _destroy(self, session: boto3.Session, name: str, *, yes: bool) -> None:
        assert yes
        if self.destroy_error:
            raise self.destroy_error
        del self.stacks[name]

    def _find_stacks(self, session: boto3.Session, name: str) -> dict[str, DeployedStack]:
        now = datetime.now(UTC)
        return {
            stack: DeployedStack(stack, f"{name}-{stack}", "arn", "CREATE_COMPLETE", now, {"Output": name}, ())
            for stack in self.stacks.get(name, ())
        }


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> _StubAccount:
    """An account without deployments."""
    return _StubAccount(monkeypatch)


def _target() -> AccountTarget:
    return AccountTarget(boto3.Session(region_name="eu-central-1"), {"name": "annas"})


@pytest.mark.parametrize("name", ["a", "annas", "other-compute", "thirteen-char-and-on", "abcdefghijklmnopqrst"])
def test_names_of_deployments_are_valid_and_distinct(name: str) -> None:
    names = {deployment_name(name, value) for value in get_args(ThumbnailsOn)}
    assert len(names) == 4
    for chosen in names:
        assert Settings.from_context({"name": chosen}).name == chosen
        assert name.startswith(chosen.partition("-cmp-")[0])


def test_deployment_has_its_own_name_and_value_and_is_destroyed(stub: _StubAccount) -> None:
    with _target().deployed("fargate", ("Workers",)) as deployment:
        assert stub.stacks == {"annas-cmp-f": {"Workers"}}
        assert deployment.outputs == {"Workers": {"Output": "annas-cmp-f"}}
    assert stub.given == [{"name": "annas-cmp-f", "thumbnails_on": "fargate", "allowed_cidr": "127.0.0.1/32"}]
    assert stub.stacks == {}


@pytest.mark.parametrize("error", [OperationError("photo a differs"), KeyboardInterrupt(), RuntimeError()])
def test_deployment_is_destroyed_after_an_error_or_ctrl_c(stub: _StubAccount, error: BaseException) -> None:
    with pytest.raises(type(error)), _target().deployed("ec2", ("Workers",)):
        raise error
    assert stub.stacks == {}


@pytest.mark.parametrize("error", [OperationError("out of capacity"), KeyboardInterrupt()])
def test_incomplete_deployment_is_destroyed(stub: _StubAccount, error: BaseException) -> None:
    stub.deploy_error = error
    with pytest.raises(type(error)), _target().deployed("ec2", ("Workers",)):
        pytest.fail("the block must not run")
    assert stub.stacks == {}


@pytest.mark.parametrize("error", [OperationError("Not deleted: Workers."), KeyboardInterrupt()])
def test_failed_destroy_names_what_remains_and_the_command(stub: _StubAccount, error: BaseException) -> None:
    stub.destroy_error = error
    with pytest.raises(OperationError) as raised, _target().deployed("ec2", ("Workers",)):
        raise OperationError("ec2: photo a differs.")
    message = str(raised.value)
    assert "ec2: photo a differs." in message
    assert "Of annas-cmp-e remains: Workers." in message
    assert message.endswith("make destroy name=annas-cmp-e")


def test_existing_deployment_with_such_a_name_stops_the_comparison(stub: _StubAccount) -> None:
    stub.stacks["annas-cmp-i"] = {"Thumbnails"}
    with pytest.raises(OperationError, match=r"annas-cmp-i exists\. Run: make destroy name=annas-cmp-i"):
        _target().confirm(STACKS, yes=True)


def test_confirmation_shows_the_cost_of_each_deployment(
    stub: _StubAccount, assembly: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contexts = []

    def synthesize(folder: Path, context: Mapping[str, Any]) -> Assembly:
        contexts.append((context["name"], context["thumbnails_on"]))
        return Assembly(assembly)

    monkeypatch.setattr(account, "synthesize", synthesize)
    with pytest.raises(OperationError, match="--yes"):  # standard input of a test is no terminal
        _target().confirm({"lambda": ("Thumbnails",), "ec2": ("Ecs",)}, yes=False)
    assert contexts == [("annas-cmp-l", "lambda"), ("annas-cmp-e", "ec2")]
    lines = [line for line in capsys.readouterr().out.splitlines() if "-cmp-" in line]
    assert "$0.000 per hour" in lines[0] and "Ecs" not in lines[0]
    assert "$0.0" in lines[1] and "$0.000" not in lines[1] and "Ecs" in lines[1]


def test_measurement_of_a_function_comes_from_its_reports(stub: _StubAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = [
        {"durationMs": 110, "billedDurationMs": 400, "maxMemoryUsedMB": 90, "initDurationMs": 290},
        {"durationMs": 120, "billedDurationMs": 120, "maxMemoryUsedMB": 120},
    ]
    lines = [json.dumps({"type": "platform.report", "record": {"metrics": it}}) for it in metrics]
    lines += ["START", "REPORT RequestId: 1\tDuration: 79.5 ms\tBilled Duration: 80 ms\tMax Memory Used: 95 MB"]
    monkeypatch.setattr(account, "function_log_lines", lambda deployment: lines)
    monkeypatch.setattr(account, "_LOG_POLL_SECONDS", 0)
    with _target().deployed("lambda", ("Thumbnails",)) as deployment:
        measured = _target().measure("lambda", deployment, photos=10)
        assert _target().measure("remake", deployment, photos=10) == {}
    assert measured == {"peak_bytes": 120 * 2**20, "billed_seconds_per_photo": 0.06}
