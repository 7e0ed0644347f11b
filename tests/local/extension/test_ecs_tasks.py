"""ECS tasks as processes: why a program does not listen on its port."""

import socket
from pathlib import Path
from typing import Any

import pytest

from local.extension import ecs_tasks
from local.extension.container_images import Image
from local.extension.container_processes import Process
from local.extension.dockerfile import Dockerfile
from local.ports import HOST, free_port

_LISTEN = "import os, socket; socket.create_server((os.environ['HOST'], int(os.environ['PORT'])))"


def _failure(program: str, port: int, folder: Path) -> str:
    """Run a program as a container with this port, and return the reason that ECS reports."""
    image = Image(folder, Dockerfile({}, (), ("python", "-c", program)))
    process = Process(image, environment={"HOST": HOST, "PORT": str(port)}, role_arn=None)
    task: dict[str, Any] = {"containers": [{}]}
    ecs_tasks._wait_until_listening(process, port, task)
    assert not process.running
    reason: str = task["containers"][0]["reason"]
    assert f"{HOST}:{port}" in reason
    return reason


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "1")  # no program calls the emulator
    monkeypatch.setattr(ecs_tasks, "_START_TIMEOUT_SECONDS", 2)


def test_port_that_is_not_available_is_the_reason(tmp_path: Path) -> None:
    with socket.socket() as other:  # bound, but not listening
        other.bind((HOST, 0))
        assert "Address already in use" in _failure(_LISTEN, other.getsockname()[1], tmp_path)


def test_other_port_than_the_assigned_one_is_the_reason(tmp_path: Path) -> None:
    assert "PORT" in _failure("import time; time.sleep(600)", free_port(), tmp_path)
