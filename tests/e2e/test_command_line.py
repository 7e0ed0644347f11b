"""`python -m local` as a person runs it, in a terminal's process group."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import LOGS, ROOT, is_free


def _start(command: str, temporary: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", command],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _read_until(lines: Iterator[str], mark: str) -> str:
    read = []
    for line in lines:
        read.append(line)
        if mark in line:
            break
    return "".join(read)


def _assert_nothing_left(printed: str, temporary: Path) -> None:
    (port,) = re.findall(r"http://127\.0\.0\.1:(\d+), account", printed)
    assert is_free(int(port))
    assert list(temporary.iterdir()) == []
    assert list(LOGS.glob(f"*-{port}.log")) == []


def test_up_stays_until_ctrl_c_and_what_it_prints_works(tmp_path: Path) -> None:
    with _start("up", tmp_path) as process:
        assert process.stdout
        printed = _read_until(process.stdout, "Ctrl-C")
        exports = dict(re.findall(r"export (\w+)=(\S+)", printed))
        (command,) = re.findall(r'\.venv/bin/python -c "(import boto3; boto3.client.*)"', printed)
        upload = subprocess.run(
            [sys.executable, "-c", command], cwd=ROOT, env=os.environ | exports, capture_output=True, text=True
        )
        assert upload.returncode == 0, upload.stderr
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert rest.rstrip().endswith("Stopped; nothing is left.")
    _assert_nothing_left(printed, tmp_path)


@pytest.mark.parametrize(
    ("mark", "number"),
    [("emulator", signal.SIGINT), ("cdk bootstrap", signal.SIGTERM)],
    ids=["Ctrl-C while synth runs", "killed while deploy runs"],
)
def test_stopped_in_the_middle_it_leaves_nothing(mark: str, number: signal.Signals, tmp_path: Path) -> None:
    with _start("demo", tmp_path) as process:
        assert process.stdout and process.stderr
        printed = _read_until(process.stdout, mark) + process.stdout.readline()
        process.send_signal(number)
        errors = process.stderr.read()
    assert process.returncode == 1
    assert errors.strip() == "Stopped; nothing is left."
    _assert_nothing_left(printed, tmp_path)


def test_wrong_arguments_are_told_with_status_2() -> None:
    run = subprocess.run([sys.executable, "-m", "local", "up", "--port", "x"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert "invalid int value: 'x'" in run.stderr
