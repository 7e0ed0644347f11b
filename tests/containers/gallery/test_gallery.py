"""The gallery server, started with the command of its Dockerfile and called over HTTP."""

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
from importlib.metadata import version
from pathlib import Path

import pytest

from local.extension.dockerfile import read_dockerfile

FOLDER = Path(__file__).parents[3] / "containers" / "gallery"

Response = tuple[int, Message, bytes]
Get = Callable[[str], Response]


@contextmanager
def running(**environment: str) -> Iterator[tuple[subprocess.Popen[str], Get]]:
    """Run the server on a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *read_dockerfile(FOLDER).command[1:]],
        cwd=FOLDER,
        env={"PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(path: str) -> Response:
        try:
            with opener.open(f"http://127.0.0.1:{port}/{path}", timeout=5) as response:
                return response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    try:
        wait_until_healthy(process, get)
        yield process, get
    finally:
        process.kill()
        process.communicate()


def wait_until_healthy(process: subprocess.Popen[str], get: Get) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            get("health")
            return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise AssertionError("the gallery does not respond")


@pytest.fixture(scope="module")
def get() -> Iterator[Get]:
    """Send a request to a gallery outside ECS that has no API."""
    with running() as (_, get):
        yield get


@contextmanager
def task_metadata(task: dict[str, str] | None) -> Iterator[str]:
    """Serve the ECS task metadata endpoint. None: it fails."""

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


def test_health_config_and_whoami_respond_outside_ecs_and_without_api(get: Get) -> None:
    status, headers, body = get("health")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["Cache-Control"] == "no-store"
    assert json.loads(get("whoami")[2]) == {"launch_type": None, "task": None, "zone": None}
    assert json.loads(get("config.json")[2]) == {"api_url": None}


def test_whoami_returns_the_ecs_task_and_config_the_api_url() -> None:
    task = {
        "LaunchType": "FARGATE",
        "TaskARN": "arn:aws:ecs:us-east-1:111122223333:task/cluster/0123abcd",
        "AvailabilityZone": "us-east-1a",
    }
    api = "https://api.example/prod"
    with task_metadata(task) as endpoint, running(ECS_CONTAINER_METADATA_URI_V4=endpoint, API_URL=api) as (_, get):
        assert json.loads(get("whoami")[2]) == {"launch_type": "FARGATE", "task": "0123abcd", "zone": "us-east-1a"}
        assert json.loads(get("config.json")[2]) == {"api_url": api}


def test_server_is_healthy_when_the_task_metadata_is_unavailable() -> None:
    with task_metadata(None) as endpoint, running(ECS_CONTAINER_METADATA_URI_V4=endpoint) as (_, get):
        status, _, body = get("whoami")
        assert (status, json.loads(body)["error"]["code"]) == (503, "metadata_unavailable")
        assert get("health")[0] == 200


def test_files_are_served_with_their_type_and_are_revalidated(get: Get) -> None:
    status, headers, body = get("")
    assert status == 200 and b"<h1>Other Compute</h1>" in body
    assert headers.get_content_type() == "text/html"
    assert headers["Cache-Control"] == "no-cache" and headers["ETag"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert get("gallery.js")[1].get_content_type() in ("text/javascript", "application/javascript")


def test_every_imported_script_exists(get: Get) -> None:
    scripts = [path.name for path in (FOLDER / "static").glob("*.js")]
    imported = {part.split('"')[0] for name in scripts for part in get(name)[2].decode().split('"./')[1:]}
    assert imported | {"gallery.js"} == set(scripts)


def test_page_runs_only_its_own_scripts_and_requests_only_its_urls() -> None:
    urls = {
        "API_URL": "https://api.example/v1/",
        "ORIGINALS_URL": "https://o.example",
        "THUMBNAILS_URL": "https://t.example",
    }
    with running(**urls) as (_, get):
        _, headers, body = get("")
    policy = {
        name: values for name, *values in (part.split() for part in headers["Content-Security-Policy"].split("; "))
    }
    assert policy["default-src"] == ["'self'"] and policy["frame-ancestors"] == ["'none'"]
    assert "script-src" not in policy
    assert policy["connect-src"] == ["'self'", "https://api.example/v1/", "https://o.example"]
    assert policy["img-src"] == ["'self'", "blob:", "data:", "https://t.example"]
    assert b"<script>" not in body and b" style=" not in body


@pytest.mark.parametrize("path", ["../gallery.py", "%2e%2e/gallery.py", "..%2fgallery.py", "/etc/passwd", "nothing"])
def test_paths_outside_the_folder_are_not_found(get: Get, path: str) -> None:
    assert get(path)[0] == 404


def test_server_stops_on_sigterm() -> None:
    with running() as (process, _):
        process.send_signal(signal.SIGTERM)
        # After a graceful shutdown, uvicorn ends with the signal that it received.
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("port", ["http", "0", "99999"])
def test_invalid_port_is_an_error_of_one_line(port: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PORT": port}
    run = subprocess.run(
        [sys.executable, "gallery.py"], cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=20
    )
    assert run.returncode == 1
    assert run.stderr.startswith("PORT: ") and f"'{port}'" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
def test_image_has_the_library_version_of_these_tests(library: str) -> None:
    pins = (FOLDER / "requirements.txt").read_text()
    assert f"\n{library}=={version(library)} " in f"\n{pins}"
