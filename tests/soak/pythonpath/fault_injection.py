"""Fault injection for a Lambda function, an ECS task, or a Batch job: AWS calls fail, and the process is killed.

The module runs inside their process, which finds it by PYTHONPATH; their own code is unchanged. A function has
`fault_injection.handler` as its handler, and FAULTS names the real one. A task or a job starts as
`python -m fault_injection MODULE …` instead of `python -m MODULE …`.

A fault affects one HTTP call, below botocore and therefore below its retries. The call fails before it reaches AWS, or
after AWS has executed it and the response is lost, which is the harder case. FAULTS is JSON:

share       fraction of the calls that fail, 0 to 1
kill        fraction of the calls just before or just after which the process kills itself, 0 to 1
kill_at     instead of both, the one moment of the kill: 0 is before the first call, 1 after it, 2 before the second
seed        seed of the random choices
log         file that receives one line per call: process id, service, and the result of the call
handler     the function's own handler, in the format of Lambda's setting
cpu         limit of CPU time for each photo in seconds, instead of that of the service
hold        folder: before a process calls S3, it creates a file there, named by its id, and waits for `continue`
visibility  visibility timeout of a worker's messages in seconds, instead of a minute, with shorter heartbeats and polls
"""

import importlib
import json
import os
import random
import re
import runpy
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import ProtocolError

_STATUS = {"SlowDown": 503, "InternalError": 500, "ServiceUnavailable": 503}
# Kinds of faults: before AWS receives the request, after AWS has executed it, and in the response. All equally likely.
_BEFORE = (*_STATUS, "no connection", "connection reset")
_AFTER = ("timeout after execution", "connection reset after execution")
_TRUNCATED = "truncated response"


@dataclass
class Faults:
    """Faults of the calls of this process. The module docstring describes the fields."""

    share: float = 0
    kill: float = 0
    kill_at: int | None = None
    seed: str = ""
    log: str = ""
    handler: str = ""
    cpu: float | None = None
    hold: str = ""
    visibility: int | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed} {os.getpid()}")
        self._moments = count()

    def send(self, send_request: Callable[[], AWSResponse], request: Any) -> AWSResponse:
        """Send a request, or inject a fault."""
        service = _service(request)
        if self.hold and service == "s3":
            self._hold(Path(self.hold))
        self._kill_or_continue(service, "before")
        fault = self._random.choice([*_BEFORE, *_AFTER, _TRUNCATED]) if self._random.random() < self.share else ""
        if fault == _TRUNCATED and not request.stream_output:  # botocore reads other responses in one piece
            fault = "connection reset"
        self._write_log(service, fault or "done")
        if fault in _BEFORE:
            return _fail(fault, service, request.url)
        response = send_request()
        self._kill_or_continue(service, "after")
        if fault in _AFTER:
            return _fail(fault, service, request.url)
        if fault == _TRUNCATED and response.status_code == 200:
            response.raw = _BrokenBody()
        return response

    def _kill_or_continue(self, service: str, when: str) -> None:
        if next(self._moments) == self.kill_at or self._random.random() < self.kill / 2:
            self._write_log(service, f"killed {when}")
            os.kill(os.getpid(), signal.SIGKILL)

    def _hold(self, folder: Path) -> None:
        (folder / str(os.getpid())).touch()
        while not (folder / "continue").exists():
            time.sleep(0.05)

    def _write_log(self, service: str, kind: str) -> None:
        if self.log:
            # One write per line, so that lines of concurrent processes do not mix.
            file = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(file, f"{os.getpid()}\t{service}\t{kind}\n".encode())
            os.close(file)


class _Body(BytesIO):
    """The body of an injected error response, with the method of urllib3 that botocore calls."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class _BrokenBody(_Body):
    """A body whose connection breaks."""

    def read(self, *_: Any) -> bytes:
        raise ProtocolError("Connection broken: fewer bytes than promised")


def _fail(fault: str, service: str, url: str) -> AWSResponse:
    if fault == "no connection":
        raise ConnectTimeoutError(endpoint_url=url)
    if fault.startswith("timeout"):
        raise ReadTimeoutError(endpoint_url=url)
    if fault.startswith("connection reset"):
        raise ConnectionClosedError(endpoint_url=url)
    xml = f"<Error><Code>{fault}</Code><Message>Injected</Message></Error>"
    body = xml if service == "s3" else json.dumps({"__type": fault, "message": "Injected"})
    headers: Any = {"x-amzn-errortype": fault}
    return AWSResponse(url, _STATUS[fault], headers, _Body(body.encode()))


def _service(request: Any) -> str:
    """Return the signing name of the service that a request is for."""
    header = request.headers.get("Authorization", b"")
    text = header.decode() if isinstance(header, bytes) else header
    found = re.search(r"/([a-z0-9-]+)/aws4_request", text)
    return found[1] if found else "?"


def _install() -> Faults:
    faults = Faults(**json.loads(os.environ["FAULTS"]))
    original_send = URLLib3Session.send

    def send(session: URLLib3Session, request: Any) -> AWSResponse:
        return faults.send(lambda: original_send(session, request), request)

    setattr(URLLib3Session, "send", send)  # noqa: B010  # mypy rejects assignment to a method
    return faults


def _set_constant(module: str, name: str, value: float) -> None:
    setattr(importlib.import_module(module), name, value)


_faults = _install()
if _faults.cpu:
    _set_constant("photos.limits", "MAX_CPU_SECONDS", _faults.cpu)
if _faults.handler:
    _module, _, _name = _faults.handler.rpartition(".")
    handler = getattr(importlib.import_module(_module), _name)

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    if _faults.visibility:
        for _name, _seconds in (("VISIBILITY", _faults.visibility), ("HEARTBEAT", _faults.visibility / 3), ("POLL", 1)):
            _set_constant(sys.argv[0], f"_{_name}_SECONDS", _seconds)
        importlib.import_module(sys.argv[0]).main()
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
