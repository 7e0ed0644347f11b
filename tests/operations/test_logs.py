"""`make logs` with log groups in moto. `tests/e2e/test_redrive.py` reads those of a deployment."""

import calendar
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import Mock

import boto3
import pytest
from moto import mock_aws

from operations.logs import print_logs
from operations.outputs import NotDeployedError


class _Session(boto3.Session):
    """CloudWatch Logs in moto, and the stacks of a deployment with a log group each."""

    GROUPS: ClassVar = {"Cron": "SweepLog0A1B2C3D", "Ecs": "FargateTaskLog0A1B2C3D"}

    def client(self, service: str, **_: Any) -> Any:  # type: ignore[override]  # only what is used
        return self if service == "cloudformation" else super().client(service)  # type: ignore[call-overload]

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(
            paginate=lambda StackName=None: SimpleNamespace(
                search=lambda _: self._stacks() if operation == "describe_stacks" else self._resources(StackName)
            )
        )

    def _stacks(self) -> list[dict[str, Any]]:
        tags = [{"Key": "project", "Value": "annas"}]
        common = {"StackStatus": "CREATE_COMPLETE", "CreationTime": datetime.now(UTC), "Tags": tags}
        return [{"StackName": f"annas-{stack}", "StackId": stack, **common} for stack in self.GROUPS]

    def _resources(self, stack: str) -> list[dict[str, Any]]:
        return [
            {"ResourceType": kind, "LogicalResourceId": self.GROUPS[stack], "PhysicalResourceId": stack}
            for kind in ("AWS::Logs::LogGroup", "AWS::IAM::Role")
        ]


@pytest.fixture
def session() -> Iterator[boto3.Session]:
    """A session of an account with the log groups."""
    with mock_aws():
        session = _Session(region_name="us-east-1")
        for group in session.GROUPS:
            session.client("logs").create_log_group(logGroupName=group)
            session.client("logs").create_log_stream(logGroupName=group, logStreamName="stream")
        yield session


def _log(session: boto3.Session, group: str, message: str, *, seconds_ago: float = 0) -> None:
    event: Any = {"timestamp": int((time.time() - seconds_ago) * 1000), "message": message}
    session.client("logs").put_log_events(logGroupName=group, logStreamName="stream", logEvents=[event])


def test_logs_of_all_groups_are_printed_in_order_with_utc_time_and_source(
    session: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    _log(session, "Ecs", "old", seconds_ago=7200)
    _log(session, "Ecs", "second [with brackets]\nof two lines", seconds_ago=60)
    _log(session, "Cron", "first", seconds_ago=90)
    print_logs(session, "annas", minutes=10, follow=False)
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split("UTC")[1].split(None, 1) for line in lines] == [
        ["Cron/Sweep", "first"],
        ["Ecs/FargateTask", "second [with brackets]"],
        ["Ecs/FargateTask", "of two lines"],
    ]
    assert all(abs(time.time() - _seconds(line)) < 600 for line in lines)


def _seconds(line: str) -> float:
    return calendar.timegm(time.strptime(line.split(" UTC")[0], "%Y-%m-%d %H:%M:%S"))


def test_following_prints_each_new_event_once(
    session: boto3.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _log(session, "Cron", "known")
    later = iter(["late", "new", "newest"])

    def log_next(_: float) -> None:
        message = next(later, None)
        if message is None:
            raise KeyboardInterrupt
        _log(session, "Cron", message, seconds_ago=5 if message == "late" else 0)

    monkeypatch.setattr("operations.logs.time", Mock(wraps=time, sleep=log_next))
    with pytest.raises(KeyboardInterrupt):
        print_logs(session, "annas", minutes=10, follow=True)
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines] == ["known", "late", "new", "newest"]


def test_log_group_that_is_deleted_meanwhile_is_skipped(
    session: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    _log(session, "Ecs", "remains")
    session.client("logs").delete_log_group(logGroupName="Cron")
    print_logs(session, "annas", minutes=10, follow=False)
    assert "remains" in capsys.readouterr().out


def test_log_group_that_a_deployment_creates_meanwhile_is_followed(
    session: boto3.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Session, "GROUPS", {"Cron": _Session.GROUPS["Cron"]})
    polls = itertools.count()

    def deploy_later(_: float) -> None:
        if next(polls) == 0:
            monkeypatch.setattr(_Session, "GROUPS", {"Ecs": "Log0A1B2C3D"})
            _log(session, "Ecs", "created meanwhile")
        elif next(polls) > 100:
            raise KeyboardInterrupt

    monkeypatch.setattr("operations.logs.time", Mock(wraps=time, sleep=deploy_later))
    with pytest.raises(KeyboardInterrupt):
        print_logs(session, "annas", minutes=10, follow=True)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "created meanwhile" in line]
    assert line.split("UTC")[1].split(None, 1) == ["Ecs", "created meanwhile"]


def test_unknown_deployment_is_an_error(session: boto3.Session) -> None:
    with pytest.raises(NotDeployedError, match="No log group of bertas"):
        print_logs(session, "bertas", minutes=10, follow=False)


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_color_only_in_a_terminal_without_no_color(
    session: boto3.Session,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    colored: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    _log(session, "Cron", "ERROR")
    print_logs(session, "annas", minutes=10, follow=False)
    assert ("\x1b[36m" in capsys.readouterr().out) == colored
