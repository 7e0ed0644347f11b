"""A container's program as a process of this machine: what ECS and Batch run here in place of containers.

Real: the program, its arguments, environment and address, its output, signals and exit status; the emulator lets it do
what its role allows, no more. On paper only: isolation, the user, limits of CPU and memory, volumes. "python" is this
interpreter, with the libraries of this project, not those of the image.
"""

import ipaddress
import itertools
import os
import queue
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs

from local.extension import iam_roles
from local.extension.container_images import Image

# Of the emulator's own environment, what any program needs to start.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")

# From anywhere on: another sandbox on this machine counts too, and its programs listen at the same ports.
_numbers = itertools.count(secrets.randbelow(0xFE00))


def extend() -> None:
    """Change nothing: stop early if what is needed is gone."""
    cloudwatch_logs._log_groups, cloudwatch_logs._create_log_stream, cloudwatch_logs._put_log_events  # noqa: B018


class Process:
    """A started program. Its output waits in a queue for whoever reads `lines`, once.

    id: made up, 64 hexadecimal digits like a container's
    address: of its own in 127.0.0.0/8, given to the program as HOST
    """

    def __init__(
        self,
        image: Image,
        *,
        arguments: Sequence[str] | None = None,
        environment: Mapping[str, str],
        role_arn: str | None,
    ) -> None:
        """Start it. arguments: in place of the image's own command. Raises OSError if it cannot be started."""
        self.id = secrets.token_hex(32)
        self.address = _address()
        self._output: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        command = [*image.entrypoint, *(image.command if arguments is None else arguments)]
        self._popen = subprocess.Popen(
            _runnable(command),
            cwd=image.folder,
            env=_environment(image, environment, self.address, role_arn),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            # In the emulator's process group, so that it ends with the emulator however that ends.
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when it has ended: 128 + signal if it was killed. Raises TimeoutError. timeout: seconds."""
        if not self._ended.wait(timeout):
            raise TimeoutError(f"process {self._popen.pid} still runs after {timeout} s")
        status = self._popen.wait()
        return status if status >= 0 else 128 - status

    def wait_for_port(self, port: int, timeout: float) -> None:
        """Return when it listens there, or has ended. Raises TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.running:
            with socket.socket() as visitor:
                if visitor.connect_ex((self.address, port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on port {port} after {timeout} s")
            time.sleep(0.02)

    def stop(self, timeout: float) -> int:
        """Ask it to end, make it end after `timeout` seconds, and return its exit status."""
        with suppress(ProcessLookupError):
            self._popen.terminate()
        try:
            return self.wait(timeout)
        except TimeoutError:
            self._popen.kill()
            return self.wait()

    def lines(self) -> Iterator[str]:
        """What it writes, a line at a time, until it ends."""
        while (line := self._output.get()) is not None:
            yield line

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout:
            for line in self._popen.stdout:
                self._output.put(line.rstrip("\n"))
        self._popen.wait()
        self._ended.set()
        self._output.put(None)


def forward_logs(process: Process, group: str, stream: str, role_arn: str | None) -> threading.Thread:
    """Write what the process prints to a log group that exists, as the log driver `awslogs` does by this role.

    Returns the thread that does it, which ends after the process. Raises LookupError if there is no such group,
    PermissionError if the role may not write to it.
    """
    account, region = get_account_id(), get_region()
    if group not in cloudwatch_logs._log_groups:
        raise LookupError(f"The specified log group does not exist: {group}")
    require_logging(role_arn, group)
    cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})

    def forward() -> None:
        with request_scope(account, region):
            for line in process.lines():
                event = {"timestamp": int(time.time() * 1000), "message": line}
                cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": [event]})

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()
    return thread


def require_logging(role_arn: str | None, group: str) -> None:
    """Raises PermissionError where the role may not write to this log group."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:*"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        iam_roles.require_permission(role_arn, action, arn)


def _runnable(command: Sequence[str]) -> list[str]:
    if command and command[0] in ("python", "python3"):
        return [sys.executable, *command[1:]]
    return list(command)


def _environment(image: Image, given: Mapping[str, str], address: str, role_arn: str | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # No region: on EC2 a container is not always told one, so its definition has to say it.
    own = {
        "HOST": address,
        "AWS_ENDPOINT_URL": iam_roles.endpoint(),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
    # The way to credentials that a container has on AWS does not exist here: the credentials themselves do.
    credentials = iam_roles.session_environment(role_arn, "container") if role_arn else {}
    return {**image.environment, **given, **kept, **own, **credentials}


def _address() -> str:
    """A loopback address that nothing here uses, on which the program can have any port."""
    address = str(ipaddress.IPv4Address("127.0.1.0") + next(_numbers) % 0xFE00)
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise OSError(
                f"{address} cannot be used ({error}). On macOS let the loopback interface have it: "
                f"sudo ifconfig lo0 alias {address}"
            ) from error
    return address
