"""Prints the log groups of a deployment: the output of its functions, containers, and jobs."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from operations.deployed_stacks import find_stacks, stack_resources
from operations.outputs import NotDeployedError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_logs import CloudWatchLogsClient

_POLL_SECONDS = 2
# A deployment in progress creates log groups.
_POLLS_PER_SEARCH = 10
# CloudWatch Logs can return an event after one with a later time, so requests overlap by this much.
_OVERLAP_MS = 10_000

# Columns of the source. Those of custom resources are longer.
_SOURCE_WIDTH = 24

# Lambda logs these lines around each invocation.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
_FRAME = re.compile(r"(START|END|REPORT) RequestId: |INIT_START ")
_FAILURE = re.compile(r"\b(ERROR|CRITICAL|Traceback|Task timed out)\b|^\S*(Error|Exception)\b")


@dataclass
class _LogGroup:
    """A log group, and what was read of it.

    Attributes:
        source: The stack and the construct, such as `Cron/Sweep`.
        name: The name in CloudWatch Logs.
        since: Start of the next request, in milliseconds since 1970.
        printed: The time of each event since then that was returned, by event id.
    """

    source: str
    name: str
    since: int
    printed: dict[str, int] = field(default_factory=dict)


def print_logs(session: boto3.Session, name: str, *, minutes: int, follow: bool) -> None:
    """Print the events of all log groups in the order of their time, each with its UTC time and its source.

    Args:
        session: Credentials and region.
        name: The setting `name` of the deployment.
        minutes: Start this long ago.
        follow: Print new events until Ctrl-C.

    Raises:
        NotDeployedError: The deployment has no log group.
    """
    console = Console(highlight=False, soft_wrap=True)
    client = session.client("logs")
    since = int((time.time() - minutes * 60) * 1000)
    groups: dict[str, _LogGroup] = {}
    for poll in itertools.count():
        if poll % _POLLS_PER_SEARCH == 0:
            groups = {group.name: group for group in _log_groups(session, name, since)} | groups
        if not groups:
            raise NotDeployedError(f"No log group of {name} exists in {session.region_name}. Run `make deploy` first.")
        if poll == 0:
            console.print(
                f"Log groups: {len(groups)}. Events of the last {minutes} minutes{', and new ones' * follow}:"
            )
        events = [(event, group.source) for group in groups.values() for event in _new_events(client, group)]
        for event, source in sorted(events, key=lambda it: it[0]["timestamp"]):
            _print(console, event, f"{source:{_SOURCE_WIDTH}}")
        if not follow:
            return
        time.sleep(_POLL_SECONDS)


def _log_groups(session: boto3.Session, name: str, since: int) -> Iterator[_LogGroup]:
    """Yield the log groups in the stacks of the deployment."""
    for stack in find_stacks(session, name).values():
        for resource in stack_resources(session, stack.arn):
            if resource["ResourceType"] == "AWS::Logs::LogGroup" and "PhysicalResourceId" in resource:
                # The construct without the hash that the CDK appends, and without `Log`.
                construct = re.sub(r"(Log)?[0-9A-F]{8}$", "", resource["LogicalResourceId"])
                source = f"{stack.id}/{construct}" if construct else stack.id
                yield _LogGroup(source, resource["PhysicalResourceId"], since)


def _new_events(client: CloudWatchLogsClient, group: _LogGroup) -> list[Any]:
    try:
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group.name, startTime=group.since)
        events = [event for page in pages for event in page["events"] if event["eventId"] not in group.printed]
    except ClientError as error:
        # An update or `make destroy` deletes log groups meanwhile.
        if error.response["Error"].get("Code") == "ResourceNotFoundException":
            return []
        raise
    group.printed |= {event["eventId"]: event["timestamp"] for event in events}
    if group.printed:
        group.since = max(group.since, max(group.printed.values()) - _OVERLAP_MS)
        group.printed = {event_id: at for event_id, at in group.printed.items() if at >= group.since}
    return events


def _print(console: Console, event: Any, source: str) -> None:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    lines = event["message"].rstrip().splitlines()
    failed = any(_FAILURE.search(line) for line in lines)
    for line in lines:
        style = "dim" if _FRAME.match(line) else "red" if failed else ""
        console.print(
            Text.assemble((f"{at:%Y-%m-%d %H:%M:%S} UTC", "dim"), "  ", (source, "cyan"), "  ", (line, style))
        )
