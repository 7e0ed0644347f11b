"""Alarms tell the truth: each is raised by its cause, reaches a person, and ends when what it asks for is done."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from local.api_client import ApiClient
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import (
    api_function_name,
    killed_thumbnail_function,
    missing_catalogue,
    run_redrive,
    start_sweep,
    uploaded_photo,
    waiting,
)
from tests.soak.faults import thumbnail_function

# So an alarm's five minutes take a second.
_TIMES_AS_FAST = 300

_HASH = 8  # characters that the CDK appends to a construct's id


@contextmanager
def _dead_photo(sandbox: Sandbox) -> Iterator[None]:
    """A photo failed three times; then the cause is mended, and `make redrive` run."""
    with ExitStack() as photo:
        with killed_thumbnail_function(sandbox):
            photo.enter_context(uploaded_photo(sandbox, "dead.jpg"))
            yield
        assert run_redrive(sandbox).returncode == 0


@contextmanager
def _waiting_photo(sandbox: Sandbox) -> Iterator[None]:
    """The function gets no events; then it does again."""
    client = sandbox.client("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=thumbnail_function(sandbox))["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    with ExitStack() as photo:
        photo.enter_context(uploaded_photo(sandbox, "waiting.jpg"))
        yield
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def _dead_sweep(sandbox: Sandbox) -> Iterator[None]:
    """The sweep failed three times; then the cause is mended, and `make redrive` run."""
    with missing_catalogue(sandbox, sandbox.outputs["Cron"]["SweepFunction"]):
        start_sweep(sandbox)
        yield
    assert run_redrive(sandbox).returncode == 0


@contextmanager
def _failing_api(sandbox: Sandbox) -> Iterator[None]:
    """The API's function lost its table, and a client keeps asking; then the function has it again."""
    with missing_catalogue(sandbox, api_function_name(sandbox)), ThreadPoolExecutor(1) as client:
        mended = Event()
        asking = client.submit(_ask_until, mended, sandbox.outputs["Api"]["ApiUrl"])
        try:
            yield
        finally:
            mended.set()
        assert asking.result() == {500}


def _ask_until(mended: Event, url: str) -> set[int]:
    """The status of each answer."""
    client, seen = ApiClient(url), set()
    while not mended.is_set():
        seen.add(client.request("GET", "photos").status)
    return seen


# By stack and construct id: what raises the alarm when it is entered, and what is done about it when it is left.
CAUSES: dict[str, Callable[[Sandbox], AbstractContextManager[None]]] = {
    "Thumbnails/DeadLettersAlarm": _dead_photo,
    "Thumbnails/OldestUploadAlarm": _waiting_photo,
    "Cron/DeadLettersAlarm": _dead_sweep,
    "Api/FaultsAlarm": _failing_api,
}


def _alarms(assembly: Path) -> dict[str, str]:
    """Logical id of every alarm in the templates, by what its stack calls it."""
    return {
        f"{file.name.partition('.')[0]}/{logical_id[:-_HASH]}": logical_id
        for file in assembly.glob("*.template.json")
        for logical_id, resource in json.loads(file.read_text()).get("Resources", {}).items()
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    }


def test_every_alarm_has_a_cause(assembly: Path) -> None:
    assert _alarms(assembly).keys() == CAUSES.keys()


@pytest.mark.guarantee("Reports every failure")
@pytest.mark.parametrize("path", CAUSES)
def test_alarm_follows_its_cause(sandbox: Sandbox, inbox: str, assembly: Path, path: str) -> None:
    stack = sandbox.stack_name(path.partition("/")[0])
    resource = sandbox.client("cloudformation").describe_stack_resource(
        StackName=stack, LogicalResourceId=_alarms(assembly)[path]
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]

    def alarm() -> Any:
        (found,) = sandbox.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found

    def told() -> set[str]:
        answer = sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        return {message["Body"].strip('"') for message in answer.get("Messages", [])}

    with sandbox.emulator.accelerated_metrics(_TIMES_AS_FAST):
        eventually(lambda: alarm()["StateValue"] == "OK")
        with CAUSES[path](sandbox):
            eventually(lambda: alarm()["StateValue"] == "ALARM")
            reason = alarm()["StateReason"]
            # Others may have their cause too: a photo that failed three times has also waited long.
            eventually(lambda: f"{name}: {alarm()['AlarmDescription']} ({reason})" in told())
        eventually(lambda: alarm()["StateValue"] == "OK")
    assert waiting(sandbox, "Thumbnails") == waiting(sandbox, "Cron") == 0
