"""What the log of the thumbnail function says of messages: read as its handler writes it."""

import importlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from operations.function_log import FunctionLog
from tests.lambda_src.conftest import aws  # noqa: F401  # a fixture
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg


class Logs:
    """CloudWatch Logs with these lines, in whatever way it was asked."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines

    def get_paginator(self, _call: str) -> "Logs":
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        words = asked["filterPattern"].strip('"')
        return [{"events": [{"message": line}]} for line in self._lines if words in line]


def _log(*lines: str) -> FunctionLog:
    return FunctionLog(Logs(*lines), "group")  # type: ignore[arg-type]  # a stand-in


@pytest.fixture
def lines(aws: MockedAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> list[str]:  # noqa: F811
    """What the handler logs of a photo, m-1, and of what makes no sense, m-2."""
    for name, value in (
        ("ORIGINALS_BUCKET", ORIGINALS),
        ("THUMBNAILS_BUCKET", THUMBNAILS),
        ("CATALOGUE_TABLE", CATALOGUE),
    ):
        monkeypatch.setenv(name, value)
    import thumbnail.handler

    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    s3_object = {"key": "a+b.jpg", "eTag": aws.put("a b.jpg", jpeg()), "sequencer": "01"}
    body = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": s3_object}}]}
    records = [{"messageId": "m-1", "body": json.dumps(body)}, {"messageId": "m-2", "body": "no JSON"}]
    importlib.reload(thumbnail.handler).handler({"Records": records}, Context())
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    "wrap", [str, lambda line: json.dumps({"level": "INFO", "message": line})], ids=["text", "JSON"]
)
def test_reads_what_the_handler_writes(lines: list[str], wrap: Any) -> None:
    log = _log(*(wrap(line) for line in lines))
    since = datetime.now(UTC)
    assert log.done(since) == {"m-1": "ready, 'a b.jpg' (ObjectCreated:Put)"}
    assert log.failed(since) == {"m-2": "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"}


def test_of_many_tries_the_last_one_counts() -> None:
    line = "Message m failed and will be tried again: ClientError: {}. It says: {{}}"
    assert _log(line.format("first"), line.format("last")).failed(datetime.now(UTC)) == {"m": "ClientError: last"}


def test_other_lines_say_nothing() -> None:
    log = _log("START RequestId: 1", "[1, 2]", "no message failed and will be tried again", "it is done")
    assert log.failed(datetime.now(UTC)) == log.done(datetime.now(UTC)) == {}
