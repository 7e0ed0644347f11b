"""The emulator's process: started on 127.0.0.1, ended with all that it started."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from local.console import step
from local.errors import SandboxError

ROOT = Path(__file__).parent.parent
LOGS = ROOT / ".cache" / "logs"
HOST = "127.0.0.1"
REGION = "us-east-1"
# The account of AWS's own examples. As the access key it makes the caller root of that account.
ACCOUNT = "111122223333"

_START_SECONDS = 60


@dataclass(frozen=True)
class Emulator:
    """A running emulator. `folder` is a temporary folder that goes when it ends."""

    port: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """The URL that every AWS client is given as its endpoint."""
        return f"http://{HOST}:{self.port}"

    def client_environment(self) -> dict[str, str]:
        """The variables that lead any AWS client, command line or SDK, here and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    @contextmanager
    def accelerated_metrics(self, times: float) -> Iterator[None]:
        """While the block runs, an alarm's five minutes take this many times less."""
        file = self.folder / "metric-speed"
        file.write_text(str(times))
        try:
            yield
        finally:
            file.unlink()

    def check(self) -> None:
        """Raises SandboxError if the process has ended."""
        if self.process.poll() is not None:
            raise SandboxError(
                f"The emulator ended unexpectedly (status {self.process.returncode}). Its log: {self.log}"
            )


@contextmanager
def running_emulator(port: int | None = None) -> Iterator[Emulator]:
    """Start the emulator with IAM enforced, and end it however the block is left.

    port: None takes a free one. Raises SandboxError if the port is taken or the emulator does not start.
    The log is kept only if the block is left by an error.
    """
    chosen = _free_port() if port is None else port
    if not is_port_free(chosen):
        raise SandboxError(f"Port {chosen} of {HOST} is taken or not allowed. Choose another one with PORT=…")
    folder = Path(tempfile.mkdtemp(prefix="other-compute-"))
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"emulator-{chosen}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.extension"],
            cwd=ROOT,
            env=_environment(chosen, folder),
            stdin=subprocess.PIPE,  # its end tells the emulator that we are gone
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us alone; and the group is all that is to be ended
        )
    emulator = Emulator(chosen, folder, log, process)
    try:
        with log_kept_on_error(log):
            with step("start the emulator of AWS") as proved:
                _wait_until_ready(emulator)
                proved.append(f"{emulator.endpoint}, account {ACCOUNT}, IAM enforced")
            yield emulator
    finally:
        # All of its state is in memory and in our folder: nothing is lost by ending it at once, and the processes
        # of Lambda functions, which a polite end leaves behind when it takes too long, go with it.
        kill_group(process)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(port: int, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_"))}
    temporary = folder / "tmp"
    temporary.mkdir()
    return kept | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        # Listeners on all addresses that no stack here needs.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(temporary),
        "SANDBOX_FOLDER": str(folder),
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int) -> bool:
    """Whether a server could listen at this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As a server does it: a connection closed a moment ago does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _wait_until_ready(emulator: Emulator) -> None:
    # The proxy of the user's environment has no business here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        emulator.check()
        try:
            with opener.open(f"{emulator.endpoint}/_ministack/ready", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SandboxError(f"The emulator did not answer within {_START_SECONDS} seconds. Its log: {emulator.log}")


@contextmanager
def log_kept_on_error(log: Path) -> Iterator[None]:
    """Remove a log when the block is left, unless by an error: then someone will want to read it."""
    keep = False
    try:
        yield
    except Exception:
        keep = True
        raise
    finally:
        if not keep:
            log.unlink(missing_ok=True)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process started in a session of its own, and all that it started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
