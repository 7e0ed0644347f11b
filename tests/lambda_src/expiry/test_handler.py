"""The function deletes nothing before the expiry, and reports what remains once a day."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.lambda_src.expiry.fake_cloudformation import FakeCloudFormation
from tests.lambda_src.mocked_aws import LambdaContext, load_function

_ORDER = {"users": {"Cron": []}, "last": ["Guardrails", "Expiry"]}


@pytest.fixture
def cloudformation() -> FakeCloudFormation:
    cloudformation = FakeCloudFormation()
    cloudformation.add("photos-Expiry", "photos-Cron")
    cloudformation.add("photos-Guardrails", AlertTopic="arn:topic")
    return cloudformation


@pytest.fixture
def messages() -> list[dict[str, str]]:
    """The published messages."""
    return []


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, cloudformation: FakeCloudFormation, messages: list[dict[str, str]]
) -> Callable[[str], None]:
    """Return a function that invokes the handler at a time. The deployment expires at 20:00:00 UTC."""

    class Sns:
        def publish(self, **message: str) -> None:
            messages.append(message)

    clients: dict[str, Any] = {"cloudformation": cloudformation, "sns": Sns()}
    monkeypatch.setattr("boto3.client", lambda service, **_: clients[service])
    monkeypatch.setattr("expiry.deletion._POLL_SECONDS", 0)
    handler = load_function(
        monkeypatch,
        "expiry",
        PROJECT="photos",
        EXPIRES_AT="2026-11-28T20:00:00Z",
        RUN_INTERVAL_MINUTES="5",
        DELETION_ORDER=json.dumps(_ORDER),
    ).handler
    return lambda time: handler({"time": f"2026-11-{time}Z"}, LambdaContext(300))


def test_nothing_is_deleted_before_the_expiry(run: Callable[[str], None], cloudformation: FakeCloudFormation) -> None:
    run("28T19:59:59")
    assert cloudformation.deleted == []
    run("28T20:00:00")
    assert cloudformation.deleted[0] == {"photos-Cron"}
    assert cloudformation.deleted[-1] == {"photos-Expiry"}


def test_what_remains_is_reported_after_an_hour_and_then_once_a_day(
    run: Callable[[str], None], cloudformation: FakeCloudFormation, messages: list[dict[str, str]]
) -> None:
    cloudformation.failing = {"photos-Cron"}
    reported = []
    times = [f"{day}T{hour:02}:{minute:02}:30" for day in (28, 29) for hour in range(24) for minute in range(2, 60, 5)]
    for time in times:
        run(time)
        if messages:
            reported.append(time)
            (message,) = messages
            messages.clear()
            assert message["TopicArn"] == "arn:topic"
            assert "photos-Cron: DELETE_FAILED [Bucket] is not empty" in message["Message"]
            assert "make destroy name=photos" in message["Message"]
            assert "photos-Expiry" not in message["Message"]
            assert len(message["Subject"]) <= 100
    assert reported == ["28T21:02:30", "29T21:02:30"]


def test_what_remains_is_logged_if_there_is_no_topic(
    run: Callable[[str], None],
    cloudformation: FakeCloudFormation,
    messages: list[dict[str, str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    del cloudformation.stacks["photos-Guardrails"]
    cloudformation.failing = {"photos-Cron"}
    run("28T21:00:00")
    assert messages == []
    assert "photos-Cron: DELETE_FAILED" in caplog.text
