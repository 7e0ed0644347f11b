"""What the thumbnail function says of the messages it was given: the lines that its handler logs."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# As `lambda_src/thumbnail/handler.py` writes them.
_FAILED = re.compile(r"Message (\S+) failed and will be tried again: (.*?)(?:\. It says: .*)?$", re.DOTALL)
_DONE = re.compile(r"Message (\S+) is done: (.*)", re.DOTALL)


class FunctionLog:
    """The log group of the function."""

    def __init__(self, logs: CloudWatchLogsClient, group: str) -> None:
        self._logs = logs
        self._group = group

    def failed(self, since: datetime) -> dict[str, str]:
        """Why the last try of each message failed, by its id."""
        return self._find(_FAILED, '"failed and will be tried again"', since)

    def done(self, since: datetime) -> dict[str, str]:
        """What became of each message, by its id."""
        return self._find(_DONE, '"is done"', since)

    def _find(self, pattern: re.Pattern[str], words: str, since: datetime) -> dict[str, str]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, filterPattern=words, startTime=int(since.timestamp() * 1000)
        )
        lines = (_text(event["message"]) for page in pages for event in page["events"])
        return {found[1]: found[2].strip() for line in lines if (found := pattern.search(line))}


def _text(line: str) -> str:
    """What was logged: Lambda wraps it in JSON, the sandbox does not."""
    try:
        wrapped: Any = json.loads(line)
    except ValueError:
        return line
    return str(wrapped.get("message", line)) if isinstance(wrapped, dict) else line
