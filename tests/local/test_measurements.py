"""Measurements of the sandbox: calls by role, and what functions, tasks, and jobs used."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from local import measurements
from local.emulator import ACCOUNT, REGION, Emulator
from local.extension import measurements as extension
from local.extension.container_images import Image
from local.extension.container_processes import Process
from local.extension.dockerfile import Dockerfile
from tests.e2e.eventually import eventually
from tests.local.emulator_requests import assume_role, create_client, create_function, create_role

pytestmark = pytest.mark.slow  # starts an emulator

_MEBIBYTE = 2**20

# Uses 50 MiB for as long as it takes to use 0.3 s of CPU time.
_WORK = """
import time
def work():
    memory = bytearray(50 * 2**20)
    while time.process_time() < 0.3:
        pass
"""
_QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"


def _create_queue(emulator: Emulator, name: str) -> str:
    url: str = create_client(emulator, "sqs").create_queue(QueueName=name)["QueueUrl"]
    return url


def _calls_of(emulator: Emulator, role: str) -> dict[str, int]:
    return {action: count for (caller, action), count in measurements.calls(emulator).items() if caller == role}


def test_calls_count_for_the_role_that_makes_them(emulator: Emulator) -> None:
    key = assume_role(emulator, create_role(emulator, "caller"))
    s3, sqs = create_client(emulator, "s3", key), create_client(emulator, "sqs", key)
    queue = _create_queue(emulator, "other")
    create_client(emulator, "s3").create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="key", Body=b"-")
    for _ in range(2):
        s3.get_object(Bucket="bucket", Key="key")
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(number), "MessageBody": "-"} for number in range(3)])
    assert sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert _calls_of(emulator, "caller") == {
        "s3:PutObject": 1,
        "s3:GetObject": 2,
        "sqs:SendMessage": 1,
        "sqs:ReceiveMessage": 1,
    }


def test_function_is_measured_with_its_children_and_the_polling_of_its_queue(emulator: Emulator) -> None:
    code = f"""
import os, subprocess, sys, boto3
{_WORK}
child = subprocess.Popen([sys.executable, "-c", {_WORK + "work(); time.sleep(600)"!r}])
def handler(event, context):
    work()
    boto3.client("s3").list_buckets()
"""
    create_function(emulator, "function", code, create_role(emulator, "function-role"))
    client = create_client(emulator, "lambda")
    url = _create_queue(emulator, "queue")
    client.create_event_source_mapping(FunctionName="function", EventSourceArn=_QUEUE)
    create_client(emulator, "sqs").send_message(QueueUrl=url, MessageBody="-")
    # Lambda deletes the message when the function has returned.
    expected = {"sqs:ReceiveMessage": 1, "s3:ListAllMyBuckets": 1, "sqs:DeleteMessage": 1}
    eventually(lambda: _calls_of(emulator, "function-role") == expected)

    def used() -> measurements.Usage:
        (program,) = measurements.usage(emulator)
        return program

    eventually(lambda: used().cpu_seconds >= 0.5)
    assert (used().kind, used().name, used().role) == ("function", "function", "function-role")
    assert 100 * _MEBIBYTE <= used().peak_bytes <= 1000 * _MEBIBYTE
    before = used()
    client.delete_function(FunctionName="function")
    assert used().cpu_seconds >= before.cpu_seconds


@pytest.mark.parametrize("waits_for_child", [True, False])
def test_process_of_a_container_is_measured_until_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits_for_child: bool
) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "1")
    monkeypatch.setattr(extension, "_programs", [])
    child = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {_WORK + 'work()'!r}])"
    wait = "child.wait()" if waits_for_child else ""
    image = Image(tmp_path, Dockerfile({}, (), ("python", "-c", f"{_WORK}\nwork()\n{child}\n{wait}")))
    process = Process(image, environment={}, role_arn=None)
    extension.watch("job", "definition", "arn:aws:iam::111122223333:role/path/job-role", process)
    (watched,) = extension._programs
    while process.running:
        extension._update_all()
        time.sleep(0.05)
    extension._update_all()
    assert watched.has_ended
    used = measurements.Usage(**watched.usage)
    assert (used.kind, used.name, used.role) == ("job", "definition", "job-role")
    assert (0.5 if waits_for_child else 0.25) <= used.cpu_seconds < 10
    assert 50 * _MEBIBYTE <= used.peak_bytes <= 200 * _MEBIBYTE


def test_memory_of_the_emulator_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "1")
    monkeypatch.setattr(extension, "_programs", [])
    memory = bytearray(300 * _MEBIBYTE)
    image = Image(tmp_path, Dockerfile({}, (), ("python", "-c", "print('started'); input()")))
    process = Process(image, environment={}, role_arn=None)
    extension.watch("task", "family", None, process)
    extension._update_all()
    assert process.wait(20)
    extension._update_all()
    assert extension._programs[0].usage["peak_bytes"] < 150 * _MEBIBYTE < len(memory)


def test_peak_of_processes_is_the_sum_of_their_peaks() -> None:
    released = f"{_WORK}\nwork()\nprint('released', flush=True)\ntime.sleep(600)"
    processes = [subprocess.Popen([sys.executable, "-c", released], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout and process.stdout.readline()
        program = extension._Program("task", "family", None, processes[0].pid, None)
        program.update([psutil.Process(process.pid) for process in processes])
        assert not program.has_ended
        assert program.usage["peak_bytes"] >= 100 * _MEBIBYTE
        assert program.usage["cpu_seconds"] >= 0.5
    finally:
        for process in processes:
            process.kill()
            process.communicate()
