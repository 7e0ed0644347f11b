"""Containers: the program of an ECS task or a Batch job runs as a local process.

Emulated: the program, its arguments, environment, output, signals, exit status, and the permissions of its role. Not
emulated: isolation, the network (all programs share 127.0.0.1), the user, CPU and memory limits, and volumes. `python`
is the interpreter of the sandbox, with the libraries of this project instead of those of the image.
"""

import os
import queue
import resource
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs

from local.extension import iam_roles
from local.extension.container_images import Image
from local.ports import HOST

# The variables of the emulator's environment that every program needs.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class Process:
    """The running program of a container. One reader can consume its output.

    Attributes:
        id: 64 hexadecimal digits, like the ID of a container.
        last_line: The last line of its output so far.
        usage: What the process and the children it waited for used, when it has ended.
    """

    def __init__(
        self,
        image: Image,
        *,
        arguments: Sequence[str] | None = None,
        environment: Mapping[str, str],
        role_arn: str | None,
    ) -> None:
        """Start the program.

        Args:
            image: What to run.
            arguments: Replace the command of the image, but not its entrypoint.
            environment: Additional variables.
            role_arn: The role whose credentials the program receives.

        Raises:
            OSError: The program is not available.
        """
        self.id = secrets.token_hex(32)
        self._output: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._ending = threading.Lock()
        self.usage: resource.struct_rusage | None = None
        self.last_line = ""
        # In the process group of the emulator, so that the process ends with the emulator in any case.
        self._popen = subprocess.Popen(
            image.start_command(arguments=arguments),
            cwd=image.folder,
            env={**image.dockerfile.environment, **environment, **_environment(role_arn)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def process_id(self) -> int:
        """The ID of the process."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status, 128 + signal if a signal ended the process.

        Raises:
            TimeoutError: The process still runs after `timeout` seconds.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError(f"process {self._popen.pid} still runs after {timeout} s")
        status = self._popen.wait()
        return status if status >= 0 else 128 - status

    def wait_for_port(self, port: int, timeout: float) -> None:
        """Wait until the process listens on a port or ends. Raises TimeoutError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.running:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing listens on port {port} after {timeout} s")
            time.sleep(0.02)

    def stop(self, timeout: float) -> int:
        """Send SIGTERM, after `timeout` seconds SIGKILL, and return the exit status."""
        self._send(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except TimeoutError:
            self._send(signal.SIGKILL)
            return self.wait()

    def lines(self) -> Iterator[str]:
        """Yield the lines of the output until the process ends."""
        while (line := self._output.get()) is not None:
            yield line

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout:
            for line in self._popen.stdout:
                self.last_line = line.rstrip("\n")
                self._output.put(self.last_line)
        while not self._collect():
            time.sleep(0.01)
        self._ended.set()
        self._output.put(None)

    def _collect(self) -> bool:
        """Collect the exit status and the usage, which `Popen.wait` discards. Returns whether the process has ended."""
        with self._ending:
            process_id, status, usage = os.wait4(self._popen.pid, os.WNOHANG)
            if process_id:
                self._popen.returncode, self.usage = os.waitstatus_to_exitcode(status), usage
            return process_id != 0

    def _send(self, number: signal.Signals) -> None:
        with self._ending:
            if self._popen.returncode is None:  # otherwise, another process can have the same ID
                os.kill(self._popen.pid, number)


def forward_logs(process: Process, group: str, stream: str, role_arn: str | None) -> None:
    """Write the output of a process to a log stream, as the log driver `awslogs` does with this role.

    Raises:
        LookupError: The log group does not exist.
        PermissionError: The role is not allowed to write to it.
    """
    account, region = get_account_id(), get_region()
    if group not in cloudwatch_logs._log_groups:
        raise LookupError(f"The specified log group does not exist: {group}")
    require_logging(role_arn, group)
    names = {"logGroupName": group, "logStreamName": stream}
    cloudwatch_logs._create_log_stream(names)

    def forward() -> None:
        with request_scope(account, region):
            for line in process.lines():
                event = {"timestamp": int(time.time() * 1000), "message": line}
                cloudwatch_logs._put_log_events({**names, "logEvents": [event]})

    threading.Thread(target=forward, daemon=True).start()


def require_logging(role_arn: str | None, group: str) -> None:
    """Raise PermissionError unless the role is allowed to write to a log group."""
    arn = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}:*"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        iam_roles.require_permission(role_arn, action, arn)


def _environment(role_arn: str | None) -> dict[str, str]:
    # No region: ECS does not always provide one on EC2, so the task definition has to set it.
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        "AWS_ENDPOINT_URL": iam_roles.endpoint(),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        # On AWS a container reads its credentials from an endpoint, which the emulator lacks.
        **(iam_roles.session_environment(role_arn, "container") if role_arn else {}),
    }
