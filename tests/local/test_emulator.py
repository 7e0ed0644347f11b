"""The process of the emulator: its port, its errors, and its end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import ROOT, Emulator, running_emulator
from local.errors import SandboxError
from local.ports import HOST, why_unavailable
from tests.e2e.eventually import eventually
from tests.processes import running_processes

pytestmark = pytest.mark.slow  # starts an emulator


def _processes(emulator: Emulator) -> list[str]:
    """Return the commands in the process group of the emulator."""
    return [process.command for process in running_processes() if process.group == emulator.process.pid]


def test_two_emulators_run_in_parallel_and_leave_nothing_behind() -> None:
    with running_emulator() as one, running_emulator() as two, socket.socket() as other_address:
        assert one.port != two.port
        assert _processes(one) and _processes(two)
        # 127.0.0.2 stands for any other address of this machine. Where it does not exist, connecting can take long.
        other_address.settimeout(1)
        assert other_address.connect_ex(("127.0.0.2", one.port)) != 0, "listens not only on 127.0.0.1"
    for emulator in (one, two):
        assert why_unavailable(emulator.port) is None
        assert _processes(emulator) == []
        assert not emulator.folder.exists()
        assert not emulator.log.exists()


def test_port_in_use_is_rejected() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(SandboxError, match=rf"Port {port} .* another program uses it.*PORT="),
            running_emulator(port),
        ):
            pass


@pytest.mark.parametrize("port", [-1, 65_536])
def test_invalid_port_is_rejected(port: int) -> None:
    with pytest.raises(SandboxError, match=f"Port {port} "), running_emulator(port):
        pass


def test_check_reports_the_log_and_its_last_line_when_the_emulator_was_killed() -> None:
    with pytest.raises(SandboxError) as error, running_emulator() as emulator:
        os.kill(emulator.process.pid, signal.SIGKILL)
        emulator.process.wait()
        with emulator.log.open("a") as log:
            log.write("Traceback …\nImportError: no _name\n")
        emulator.check()
    assert str(error.value).endswith(f"{emulator.log}: ImportError: no _name")
    assert emulator.log.exists()
    assert not emulator.folder.exists()
    emulator.log.unlink()


def test_emulator_ends_when_its_parent_is_killed() -> None:
    program = """
import time
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
    eventually(lambda: int(pid) not in {process.id for process in running_processes()})
    eventually(lambda: why_unavailable(int(port)) is None and not Path(folder).exists())
    Path(log).unlink()
