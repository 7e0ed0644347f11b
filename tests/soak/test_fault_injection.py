"""Fault injection in a subprocess, against an HTTP server that counts requests."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.emulator import ROOT

# Sends as many GetObject requests as its argument says, and prints the result of each.
_PROGRAM = """
import sys
import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
s3 = boto3.client("s3", endpoint_url=sys.argv[2], config=Config(retries={"total_max_attempts": 1}))
for _ in range(int(sys.argv[1])):
    try:
        s3.get_object(Bucket="b", Key="k")
    except ClientError as error:
        print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
    except BotoCoreError as error:
        print(type(error).__name__)
"""


@dataclass
class Server:
    """An HTTP server and the number of requests that it has received."""

    port: int
    requests: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that returns status 404 for every request."""

    class NotFoundHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            counted.requests += 1
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), NotFoundHandler) as listening:
        counted = Server(listening.server_port)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield counted
        listening.shutdown()
        thread.join()


def _run(server: Server, folder: Path, calls: int, **faults: object) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(_PROGRAM)
    return subprocess.run(
        [sys.executable, "-m", "fault_injection", "program", str(calls), f"http://127.0.0.1:{server.port}"],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": f"{ROOT / 'tests' / 'soak' / 'pythonpath'}:{folder}",
            "FAULTS": json.dumps(faults | {"log": str(folder / "log")}),
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
    )


def _logged(folder: Path) -> list[str]:
    lines = [line.split("\t") for line in (folder / "log").read_text().splitlines()]
    assert {line[1] for line in lines} == {"s3"}
    return [line[2] for line in lines]


def test_share_of_the_calls_fails_in_every_way(server: Server, tmp_path: Path) -> None:
    run = _run(server, tmp_path, 300, share=0.5, seed="a")
    assert run.returncode == 0, run.stderr
    results, logged = Counter(run.stdout.splitlines()), Counter(_logged(tmp_path))
    assert logged.total() == 300
    assert 100 < logged["done"] < 200
    # A response without a body cannot be truncated.
    assert results["404 404"] == logged["done"] + logged["truncated response"]
    assert results["SlowDown 503"] == logged["SlowDown"] > 0
    assert results["InternalError 500"] == logged["InternalError"] > 0
    assert results["ServiceUnavailable 503"] == logged["ServiceUnavailable"] > 0
    assert results["ConnectTimeoutError"] == logged["no connection"] > 0
    assert results["ReadTimeoutError"] == logged["timeout after execution"] > 0
    resets = logged["connection reset"] + logged["connection reset after execution"]
    assert results["ConnectionClosedError"] == resets
    executed = ("done", "truncated response", "timeout after execution", "connection reset after execution")
    assert server.requests == sum(logged[kind] for kind in executed)


def test_no_call_fails_by_default(server: Server, tmp_path: Path) -> None:
    assert set(_run(server, tmp_path, 50).stdout.splitlines()) == {"404 404"}


@pytest.mark.parametrize(("moment", "when", "requests"), [(0, "before", 0), (1, "after", 1), (2, "before", 1)])
def test_process_is_killed_at_the_given_moment(
    server: Server, tmp_path: Path, moment: int, when: str, requests: int
) -> None:
    run = _run(server, tmp_path, 10, kill_at=moment)
    assert run.returncode == -signal.SIGKILL
    assert _logged(tmp_path)[-1] == f"killed {when}"
    assert server.requests == requests
