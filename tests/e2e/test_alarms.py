"""Every alarm goes off because of its cause, publishes the remedy, and returns to OK afterwards."""

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
    dead_letters,
    killed_thumbnail_function,
    missing_catalogue,
    run_redrive,
    set_uploads_enabled,
    start_sweep,
)
from tests.e2e.photos import uploaded_photo

# Makes the period of an alarm, five minutes, one second.
_SPEED = 300

_HASH_LENGTH = 8  # of the suffix that the CDK appends to a construct id


@contextmanager
def _photo_in_dead_letter_queue(sandbox: Sandbox) -> Iterator[None]:
    """Let a photo fail until it is in the dead-letter queue. Then fix the cause and run `make redrive`."""
    with ExitStack() as photo:
        with killed_thumbnail_function(sandbox):
            photo.enter_context(uploaded_photo(sandbox, "dead.jpg"))
            yield
        assert run_redrive(sandbox).returncode == 0


@contextmanager
def _waiting_photo(sandbox: Sandbox) -> Iterator[None]:
    """Disable the event source mapping, then enable it."""
    set_uploads_enabled(sandbox, False)
    with ExitStack() as photo:
        photo.enter_context(uploaded_photo(sandbox, "waiting.jpg"))
        yield
        set_uploads_enabled(sandbox, True)


@contextmanager
def _sweep_in_dead_letter_queue(sandbox: Sandbox) -> Iterator[None]:
    """Let the sweep fail three times. Then fix the cause and run `make redrive`."""
    with missing_catalogue(sandbox, sandbox.outputs["Cron"]["SweepFunction"]):
        start_sweep(sandbox)
        yield
    assert run_redrive(sandbox).returncode == 0


@contextmanager
def _failing_api(sandbox: Sandbox) -> Iterator[None]:
    """Let the API function fail with a missing table while a client sends requests. Then restore the table."""
    with missing_catalogue(sandbox, api_function_name(sandbox)), ThreadPoolExecutor(1) as executor:
        fixed = Event()
        statuses = executor.submit(_request_until, fixed, sandbox.outputs["Api"]["ApiUrl"])
        try:
            yield
        finally:
            fixed.set()
        assert statuses.result() == {500}


def _request_until(fixed: Event, url: str) -> set[int]:
    """Send requests until the event, and return the statuses of the responses."""
    client, statuses = ApiClient(url), set()
    while not fixed.is_set():
        statuses.add(client.request("GET", "photos").status)
    return statuses


# By stack and construct id: a context in which the cause exists.
CAUSES: dict[str, Callable[[Sandbox], AbstractContextManager[None]]] = {
    "Thumbnails/DeadLettersAlarm": _photo_in_dead_letter_queue,
    "Thumbnails/OldestUploadAlarm": _waiting_photo,
    "Cron/DeadLettersAlarm": _sweep_in_dead_letter_queue,
    "Api/FaultsAlarm": _failing_api,
}


def _alarms(assembly: Path) -> dict[str, str]:
    """Return the logical id of every alarm in the templates, by stack and construct id."""
    return {
        f"{file.name.partition('.')[0]}/{logical_id[:-_HASH_LENGTH]}": logical_id
        for file in assembly.glob("*.template.json")
        for logical_id, resource in json.loads(file.read_text()).get("Resources", {}).items()
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    }


def test_every_alarm_has_a_cause(assembly: Path) -> None:
    assert _alarms(assembly).keys() == CAUSES.keys()


@pytest.mark.parametrize("path", CAUSES)
@pytest.mark.guarantee("Reports every failure")
def test_alarm_follows_its_cause(sandbox: Sandbox, inbox: str, assembly: Path, path: str) -> None:
    resource = sandbox.client("cloudformation").describe_stack_resource(
        StackName=sandbox.stack_name(path.partition("/")[0]), LogicalResourceId=_alarms(assembly)[path]
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]

    def alarm() -> Any:
        (found,) = sandbox.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found

    def messages() -> set[str]:
        response = sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        return {message["Body"].strip('"') for message in response.get("Messages", [])}

    with sandbox.emulator.accelerated_metrics(_SPEED):
        eventually(lambda: alarm()["StateValue"] == "OK")
        with CAUSES[path](sandbox):
            eventually(lambda: alarm()["StateValue"] == "ALARM")
            reason = alarm()["StateReason"]
            # One cause can raise several alarms: a photo that failed three times has also waited long.
            eventually(lambda: f"{name}: {alarm()['AlarmDescription']} ({reason})" in messages())
        eventually(lambda: alarm()["StateValue"] == "OK")
    assert dead_letters(sandbox, "Thumbnails") == dead_letters(sandbox, "Cron") == 0
