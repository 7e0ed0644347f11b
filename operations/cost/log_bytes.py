"""The bytes for which CloudWatch Logs would bill the log lines of a sandbox."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_LOG_EVENT_BYTES: Final = 26
_LOGGED: Final = re.compile(r"(?P<level>[A-Z]+):(?P<logger>[\w.]+):(?P<message>.*)")


def log_bytes(lines: Sequence[str], *, of_function: bool) -> int:
    """Return the billed bytes of log events."""
    events = map(lambda_event, lines) if of_function else lines
    return sum(len(event.encode()) + _LOG_EVENT_BYTES for event in events if event)


def lambda_event(line: str) -> str:
    """Return a log line of the emulator as Lambda writes it for a function that logs JSON, or "" if it does not.

    See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html. The ids of traces are
    missing.
    """
    kind = line.partition(" ")[0]
    time, request = "2026-01-01T00:00:00.000Z", "00000000-0000-0000-0000-000000000000"
    if kind == "START":
        event: dict[str, Any] = {"time": time, "type": "platform.start"}
        return json.dumps(event | {"record": {"requestId": request, "version": "$LATEST"}}, separators=(",", ":"))
    if kind == "REPORT":
        metrics = {"durationMs": 100.01, "billedDurationMs": 101, "memorySizeMB": 1769, "maxMemoryUsedMB": 500}
        event = {"time": time, "type": "platform.report"}
        event |= {"record": {"requestId": request, "metrics": metrics, "status": "success"}}
        return json.dumps(event, separators=(",", ":"))
    if kind == "END":  # `platform.runtimeDone` has the level DEBUG
        return ""
    if logged := _LOGGED.fullmatch(line):
        event = {"timestamp": time, **logged.groupdict(), "requestId": request}
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return line
