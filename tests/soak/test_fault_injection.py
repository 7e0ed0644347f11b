"""What is put in front of functions and jobs to make their calls fail."""

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

# Asks S3 so often for an object that is not there, and says what it is answered.
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
    """Where no object is. requests: how many it got"""

    port: int
    requests: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    """Answers every request with 404."""

    class NothingHere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            counted.requests += 1
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), NothingHere) as listening:
        counted = Server(listening.server_port)
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield counted
        listening.shutdown()
        thread.join()


def _run(server: Server, folder: Path, calls: int, **settings: object) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(_PROGRAM)
    return subprocess.run(
        [sys.executable, "-m", "fault_injection", "program", str(calls), f"http://127.0.0.1:{server.port}"],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": f"{ROOT / 'tests' / 'soak' / 'pythonpath'}:{folder}",
            "FAULTS": json.dumps(settings | {"log": str(folder / "log")}),
            "NO_PROXY": "127.0.0.1",
        },
        capture_output=True,
        text=True,
    )


def _told(folder: Path) -> list[str]:
    """What was done to each call, as the log has it."""
    lines = [line.split("\t") for line in (folder / "log").read_text().splitlines()]
    assert {line[1] for line in lines} == {"s3"}
    return [line[2] for line in lines]


def test_a_share_of_the_calls_fails_in_every_way(server: Server, tmp_path: Path) -> None:
    run = _run(server, tmp_path, 300, share=0.5, seed="a")
    assert run.returncode == 0, run.stderr
    met, told = Counter(run.stdout.splitlines()), Counter(_told(tmp_path))
    assert told.total() == 300
    assert 100 < told["done"] < 200
    # What is cut short has to be long: an answer without a body arrives.
    assert met["404 404"] == told["done"] + told["answer cut short"]
    assert met["SlowDown 503"] == told["SlowDown"] > 0
    assert met["InternalError 500"] == told["InternalError"] > 0
    assert met["ServiceUnavailable 503"] == told["ServiceUnavailable"] > 0
    assert met["ConnectTimeoutError"] == told["no connection"] > 0
    assert met["ReadTimeoutError"] == told["time-out, but done"] > 0
    assert met["ConnectionClosedError"] == told["connection reset"] + told["connection reset, but done"]
    done = ("done", "answer cut short", "time-out, but done", "connection reset, but done")
    assert server.requests == sum(told[kind] for kind in done)


def test_without_settings_nothing_fails(server: Server, tmp_path: Path) -> None:
    assert set(_run(server, tmp_path, 50).stdout.splitlines()) == {"404 404"}


@pytest.mark.parametrize(("moment", "when", "requests"), [(0, "before", 0), (1, "after", 1), (2, "before", 1)])
def test_the_process_is_killed_at_its_moment(
    server: Server, tmp_path: Path, moment: int, when: str, requests: int
) -> None:
    run = _run(server, tmp_path, 10, kill_at=moment)
    assert run.returncode == -signal.SIGKILL
    assert _told(tmp_path)[-1] == f"killed {when}"
    assert server.requests == requests
