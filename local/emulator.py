"""The process of the AWS emulator on 127.0.0.1."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from local.console import step
from local.errors import SandboxError
from local.ports import HOST, free_port, why_unavailable

ROOT = Path(__file__).parent.parent
LOGS = ROOT / ".cache" / "logs"
REGION = "us-east-1"
# The account of the examples in AWS documentation.
ACCOUNT = "111122223333"

_START_TIMEOUT_SECONDS = 60

# The variables of the user's shell that the emulator receives, and with it functions, containers, and jobs: where
# programs and their libraries are, and the language of messages.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "SYSTEMROOT")


@dataclass(frozen=True)
class Emulator:
    """A running emulator.

    Attributes:
        port: The port on 127.0.0.1.
        folder: A temporary folder that is removed when the emulator ends.
        log: The output of the emulator.
        process: The process of the emulator, which leads a process group.
        access_key_id: Of the root user of the account.
        secret_access_key: Of the root user of the account, random like the ID.
    """

    port: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes]
    access_key_id: str
    secret_access_key: str = field(repr=False)

    @property
    def endpoint(self) -> str:
        """The endpoint URL for AWS clients."""
        return f"http://{HOST}:{self.port}"

    def client_environment(self) -> dict[str, str]:
        """Return the environment variables that lead AWS clients (CLI and SDKs) to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    @contextmanager
    def accelerated_metrics(self, times: float) -> Iterator[None]:
        """Speed up the periods of metrics and alarms by the factor `times` while the block runs."""
        file = self.folder / "metric-speed"
        file.write_text(str(times))
        try:
            yield
        finally:
            file.unlink()

    def check(self) -> None:
        """Raise SandboxError with the last line of the log if the process has ended."""
        if self.process.poll() is not None:
            *_, last_line = ["", *self.log.read_text(errors="replace").splitlines()]
            end = f"The emulator ended with status {self.process.returncode}. Log: {self.log}: {last_line}"
            raise SandboxError(end.removesuffix(": "))


@contextmanager
def running_emulator(port: int | None = None) -> Iterator[Emulator]:
    """Start the emulator with IAM enforced, and stop it when the block ends. The log remains if the block fails.

    Args:
        port: A port on 127.0.0.1. The default is a free port.

    Raises:
        SandboxError: The port is not available, or the emulator does not start.
    """
    try:
        chosen = free_port() if port is None else port
    except OSError as error:
        raise SandboxError(str(error)) from error
    if reason := why_unavailable(chosen):
        raise SandboxError(f"Port {chosen} of {HOST} is not available: {reason}. Choose another one with PORT=…")
    folder = Path(tempfile.mkdtemp(prefix="other-compute-"))
    log = new_log(f"emulator-{chosen}")
    access_key_id = "AKIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    secret_access_key = secrets.token_urlsafe(30)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.extension"],
            cwd=ROOT,
            env=_environment(chosen, folder)
            | {"ROOT_ACCESS_KEY_ID": access_key_id, "ROOT_SECRET_ACCESS_KEY": secret_access_key},
            umask=0o077,
            stdin=subprocess.PIPE,  # closes when this process ends, and the emulator then ends, too
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C does not reach it, and its process group can be killed
        )
    emulator = Emulator(chosen, folder, log, process, access_key_id, secret_access_key)
    try:
        with log_kept_on_error(log):
            with step("start the emulator") as findings:
                _wait_until_ready(emulator)
                findings.append(f"{emulator.endpoint}, account {ACCOUNT}, IAM enforced")
            yield emulator
    finally:
        # SIGTERM can leave processes of functions behind. SIGKILL loses nothing, because all state is temporary.
        _kill_group(process)
        shutil.rmtree(folder, ignore_errors=True)


def _environment(port: int, folder: Path) -> dict[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir()
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "HOME": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        # Do not open the ports of services that the stacks do not use, on all addresses.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(temporary),
        "SANDBOX_FOLDER": str(folder),
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }


def _wait_until_ready(emulator: Emulator) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        emulator.check()
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"{emulator.endpoint}/_ministack/ready", timeout=1, retries=False).status == 200:
                return
        time.sleep(0.05)
    raise SandboxError(f"The emulator did not start within {_START_TIMEOUT_SECONDS} seconds. Log: {emulator.log}")


def new_log(name: str) -> Path:
    """Create an empty log file, which only the user can read."""
    LOGS.mkdir(parents=True, exist_ok=True)
    LOGS.chmod(0o700)
    log = LOGS / f"{name}.log"
    log.unlink(missing_ok=True)
    log.touch(0o600)
    return log


@contextmanager
def log_kept_on_error(log: Path) -> Iterator[None]:
    """Remove a log file when the block ends, except if it fails with an error. Ctrl-C does not count as an error."""
    failed = False
    try:
        yield
    except Exception:
        failed = True
        raise
    finally:
        if not failed:
            log.unlink(missing_ok=True)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS: no permission for a group that has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
