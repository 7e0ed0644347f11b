"""The gallery program as the image starts it: a process, asked over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.extension.dockerfile import read_dockerfile

FOLDER = Path(__file__).parents[3] / "containers" / "gallery"

Answer = tuple[int, Message, bytes]
Get = Callable[[str], Answer]


@contextmanager
def running(**environment: str) -> Iterator[tuple[subprocess.Popen[str], Get]]:
    """Start the command of the Dockerfile on a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = read_dockerfile(FOLDER).command
    process = subprocess.Popen(
        [sys.executable, *command[1:]],
        cwd=FOLDER,
        env={"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(path: str) -> Answer:
        try:
            with opener.open(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    try:
        _wait(process, get)
        yield process, get
    finally:
        process.kill()
        process.communicate()


def _wait(process: subprocess.Popen[str], get: Get) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            get("health")
            return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError("the gallery does not answer")


@pytest.fixture(scope="module")
def get() -> Iterator[Get]:
    """A gallery that is not on ECS and knows no API."""
    with running() as (_, get):
        yield get


@contextmanager
def metadata(task: dict[str, str] | None) -> Iterator[str]:
    """The endpoint that ECS gives a task; None: it fails."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = task is not None and self.path == "/v4/token/task"
            self.send_response(200 if found else 500)
            self.end_headers()
            self.wfile.write(json.dumps(task).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v4/token"
        server.shutdown()


def test_healthy(get: Get) -> None:
    status, headers, body = get("health")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("launch_type", ["FARGATE", "EC2"])
def test_it_says_which_compute_it_runs_on(launch_type: str) -> None:
    task = {
        "LaunchType": launch_type,
        "TaskARN": "arn:aws:ecs:us-east-1:111122223333:task/cluster/0123abcd",
        "AvailabilityZone": "us-east-1a",
    }
    with metadata(task) as endpoint, running(ECS_CONTAINER_METADATA_URI_V4=endpoint) as (_, get):
        status, _, body = get("whoami")
    assert status == 200
    assert json.loads(body) == {"launch_type": launch_type, "task": "0123abcd", "zone": "us-east-1a"}


def test_it_does_not_guess_where_there_is_no_ecs(get: Get) -> None:
    assert json.loads(get("whoami")[2]) == {"launch_type": None, "task": None, "zone": None}


def test_it_stays_healthy_when_ecs_does_not_answer() -> None:
    with metadata(None) as endpoint, running(ECS_CONTAINER_METADATA_URI_V4=endpoint) as (_, get):
        status, _, body = get("whoami")
        assert (status, json.loads(body)["error"]["code"]) == (503, "metadata_unavailable")
        assert get("health")[0] == 200


def test_the_page_is_told_where_the_api_is(get: Get) -> None:
    assert json.loads(get("config.json")[2]) == {"api_url": None}
    with running(API_URL="https://api.example/prod") as (_, get_with_api):
        assert json.loads(get_with_api("config.json")[2]) == {"api_url": "https://api.example/prod"}


def test_the_page_and_its_files(get: Get) -> None:
    status, headers, body = get("")
    assert status == 200 and b"<h1>Other Compute</h1>" in body
    assert headers.get_content_type() == "text/html"
    assert headers["Cache-Control"] == "no-cache" and headers["ETag"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert get("gallery.js")[1].get_content_type() in ("text/javascript", "application/javascript")


def test_the_page_runs_no_script_but_its_own(get: Get) -> None:
    policy = get("")[1]["Content-Security-Policy"].split("; ")
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert not any(part.startswith("script-src") for part in policy)
    assert b"<script>" not in get("")[2] and b" style=" not in get("")[2]


@pytest.mark.parametrize("path", ["../gallery.py", "%2e%2e/gallery.py", "..%2fgallery.py", "/etc/passwd", "nothing"])
def test_no_way_out_of_the_folder(get: Get, path: str) -> None:
    assert get(path)[0] == 404


def test_it_ends_promptly_when_asked_to() -> None:
    with running() as (process, _):
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=5)
        assert time.monotonic() - start < 2
        # uvicorn ends by the signal it was sent, when it has cleaned up.
        assert process.returncode in (0, -signal.SIGTERM)


def test_a_port_that_is_no_number_ends_it_with_one_line() -> None:
    environment = {"PATH": os.environ["PATH"], "PORT": "http"}
    run = subprocess.run(
        [sys.executable, "gallery.py"], cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=20
    )
    assert run.returncode == 1
    assert run.stderr == "PORT: expected a number, but received 'http'\n"


def test_the_image_has_the_libraries_that_these_tests_use() -> None:
    from importlib.metadata import version

    pins = (FOLDER / "requirements.txt").read_text()
    for library in ("starlette", "uvicorn"):
        assert f"\n{library}=={version(library)} " in f"\n{pins}"
