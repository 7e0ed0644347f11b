"""What goes wrong in a deployed service, and what a person does about it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.demo.photo import PHOTO
from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.soak.faults import InjectedFaults, inject_faults, thumbnail_function


def waiting(sandbox: Sandbox, stack: str, output: str = "DeadLetterQueueUrl") -> int:
    """Messages in a queue, whether anyone may see them now or not."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    url = sandbox.outputs[stack][output]
    answer = sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(map(int, answer["Attributes"].values()))


def run_redrive(sandbox: Sandbox, *options: str) -> subprocess.CompletedProcess[str]:
    """What `make redrive` runs."""
    return subprocess.run(
        [sys.executable, "-m", "operations", "redrive", *options],
        cwd=ROOT,
        env=os.environ | sandbox.emulator.client_environment(),
        capture_output=True,
        text=True,
    )


@contextmanager
def short_visibility_timeout(sandbox: Sandbox, seconds: int) -> Iterator[None]:
    """The upload queue hands a message that was not handled out again so soon, not after six minutes.

    For what fails at once only: what takes longer than this is tried too often, and given up while it is in work.
    """
    sqs, queue = sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=usual)


@contextmanager
def uploaded_photo(sandbox: Sandbox, key: str) -> Iterator[None]:
    """A photo, deleted in the end."""
    s3, bucket = sandbox.client("s3"), sandbox.outputs["Thumbnails"]["OriginalsBucket"]
    s3.put_object(Bucket=bucket, Key=key, Body=PHOTO.read_bytes())
    yield
    s3.delete_object(Bucket=bucket, Key=key)
    eventually(lambda: not waiting(sandbox, "Thumbnails", "UploadQueueUrl"))


@contextmanager
def killed_thumbnail_function(sandbox: Sandbox) -> Iterator[InjectedFaults]:
    """The thumbnail function is killed at its first call, each time, until its photo is a dead letter."""
    with (
        short_visibility_timeout(sandbox, seconds=2),
        inject_faults(sandbox, [thumbnail_function(sandbox)], kill_at=0) as injected,
    ):
        yield injected
        eventually(lambda: waiting(sandbox, "Thumbnails") == 1)


@contextmanager
def missing_catalogue(sandbox: Sandbox, function: str) -> Iterator[None]:
    """This function looks for a catalogue that is not there."""
    client = sandbox.client("lambda")
    usual = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    other = usual | {"CATALOGUE_TABLE": "nowhere"}
    client.update_function_configuration(FunctionName=function, Environment={"Variables": other})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=function, Environment={"Variables": usual})


def api_function_name(sandbox: Sandbox) -> str:
    """The name of the function behind the API."""
    functions = sandbox.client("lambda").get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in functions for function in page["Functions"]]
    (found,) = (name for name in names if name.startswith(f"{sandbox.stack_name('Api')}-Function"))
    return str(found)


def start_sweep(sandbox: Sandbox) -> None:
    """As the schedule does."""
    sandbox.client("lambda").invoke(
        FunctionName=sandbox.outputs["Cron"]["SweepFunction"], InvocationType="Event", Payload=json.dumps({})
    )
