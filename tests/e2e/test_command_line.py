"""`python -m local` as a person runs it, in a terminal's process group."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from local.emulator import LOGS, ROOT, is_free


def _files_of_sandboxes() -> set[Path]:
    """Temporary folders and logs."""
    return {*Path(tempfile.gettempdir()).glob("other-compute-*"), *LOGS.glob("*")}


def test_up_stays_until_ctrl_c_and_what_it_prints_works() -> None:
    before = _files_of_sandboxes()
    with subprocess.Popen(
        [sys.executable, "-m", "local", "up"], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        printed = "".join(lines)
        exports = dict(re.findall(r"export (\w+)=(\S+)", printed))
        (command,) = re.findall(r'\.venv/bin/python -c "(import boto3; boto3.client.*)"', printed)
        environment = os.environ | exports
        upload = subprocess.run(
            [sys.executable, "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert upload.returncode == 0, upload.stderr
        port = int(exports["AWS_ENDPOINT_URL"].rpartition(":")[2])
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert rest.rstrip().endswith("Stopped; nothing is left.")
    assert is_free(port)
    assert _files_of_sandboxes() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_stopped_in_the_middle_of_a_deployment_it_leaves_nothing(number: signal.Signals) -> None:
    before = _files_of_sandboxes()
    with subprocess.Popen(
        [sys.executable, "-m", "local", "demo"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stderr
        for line in process.stdout:
            if "cdk synth" in line:
                break
        process.send_signal(number)
        errors = process.stderr.read()
    assert process.returncode == 1
    assert errors.strip() == "Stopped; nothing is left."
    assert _files_of_sandboxes() == before


def test_wrong_arguments_are_told_with_status_2() -> None:
    run = subprocess.run([sys.executable, "-m", "local", "up", "--port", "x"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "invalid int value: 'x'" in run.stderr
