"""The emulator's process: where it listens, what it says when it cannot, and that it leaves nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.emulator import HOST, ROOT, Emulator, is_port_free, running_emulator
from local.errors import SandboxError


def _processes(emulator: Emulator) -> list[str]:
    """Every process of the emulator's group."""
    listed = subprocess.run(["ps", "-eo", "pgid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(emulator.process.pid)]


def test_two_run_at_once_and_leave_nothing() -> None:
    with running_emulator() as one, running_emulator() as two:
        assert one.port != two.port
        assert not is_port_free(one.port)
        assert _processes(one) and _processes(two)
    for emulator in (one, two):
        assert is_port_free(emulator.port)
        assert _processes(emulator) == []
        assert not emulator.folder.exists()
        assert not emulator.log.exists()


def test_it_listens_on_loopback_only() -> None:
    with running_emulator() as emulator, socket.socket() as elsewhere:
        # 127.0.0.2 is as good as any address but the one it is to be bound to.
        assert elsewhere.connect_ex(("127.0.0.2", emulator.port)) != 0


def test_a_taken_port_is_one_message() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SandboxError, match=rf"^Port {port} of {HOST} is taken.*PORT=…$"), running_emulator(port):
            pass


@pytest.mark.parametrize("port", [-1, 65_536])
def test_an_impossible_port_is_one_message(port: int) -> None:
    with pytest.raises(SandboxError, match="Choose another one"), running_emulator(port):
        pass


def test_a_killed_emulator_is_noticed_and_its_log_is_kept() -> None:
    with pytest.raises(SandboxError) as error, running_emulator() as emulator:
        os.kill(emulator.process.pid, signal.SIGKILL)
        emulator.process.wait()
        emulator.check()
    assert str(emulator.log) in str(error.value)
    assert emulator.log.exists()
    assert not emulator.folder.exists()
    emulator.log.unlink()


def test_it_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    program = """
import sys, time
from local.emulator import running_emulator
with running_emulator() as emulator:
    print(emulator.process.pid, emulator.port, emulator.folder, emulator.log, flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    lines = iter(parent.stdout.readline, "")
    pid, port, folder, log = next(line for line in lines if line[0].isdigit()).split()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while not is_port_free(int(port)) or Path(f"/proc/{pid}").exists() or Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    Path(log).unlink()
