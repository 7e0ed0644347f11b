"""ECS tasks as processes: how they start, stop, and are replaced."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import alb, cloudwatch_logs, ecs
from ministack.services.cloudformation import stacks
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.emulator import ACCOUNT, REGION
from local.extension import container_images, ecs_resources, ecs_tasks
from local.extension.container_images import Image
from local.extension.container_processes import Process
from local.extension.dockerfile import Dockerfile
from local.ports import HOST, free_port
from tests.e2e.eventually import eventually
from tests.processes import running_processes

pytestmark = pytest.mark.slow  # starts an emulator

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


def test_port_that_is_not_available_is_the_reason(tmp_path: Path) -> None:
    with socket.socket() as other:  # bound, but not listening
        other.bind((HOST, 0))
        assert "Address already in use" in _failure(_LISTEN, other.getsockname()[1], tmp_path)


def test_other_port_than_the_assigned_one_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecs_tasks, "_START_TIMEOUT_SECONDS", 1)
    assert "PORT" in _failure("import time; time.sleep(600)", free_port(), tmp_path)


# Writes its process ID to a file. After SIGTERM it ends when the file `may-end` exists, or never.
_WORKER = """
import os, pathlib, signal, sys, time
def stop(*_):
    while sys.argv[1] == "never" or not pathlib.Path("may-end").exists():
        time.sleep(0.05)
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
pathlib.Path(str(os.getpid())).touch()
while True:
    time.sleep(0.05)
"""


class _Service:
    """A service of CloudFormation whose tasks run the program `_WORKER`."""

    def __init__(self, folder: Path, behavior: str) -> None:
        self._folder = folder
        self._properties: dict[str, Any] = {"Cluster": "cluster", "TaskDefinition": self._definition(behavior)}
        self._handler = _RESOURCE_HANDLERS["AWS::ECS::Service"]
        self._arn: str = self._handler["create"]("Workers", self._properties, "stack")[0]

    def _definition(self, behavior: str) -> str:
        log = {"LogDriver": "awslogs", "Options": {"awslogs-group": "tasks", "awslogs-region": REGION}}
        container = {
            "Name": "worker",
            "Image": "registry/test:1",
            "Command": ["python", "-c", _WORKER, behavior],
            "StopTimeout": 1 if behavior == "never" else 60,
            "LogConfiguration": log,
        }
        definition: str = _RESOURCE_HANDLERS["AWS::ECS::TaskDefinition"]["create"](
            "Definition", {"ContainerDefinitions": [container]}, "stack"
        )[0]
        return definition

    def update(self, behavior: str) -> None:
        """Deploy a new task definition."""
        new = self._properties | {"TaskDefinition": self._definition(behavior)}
        self._handler["update"](self._arn, self._properties, new, "stack")
        self._properties = new

    def delete(self) -> None:
        self._handler["delete"](self._arn, self._properties)

    def scale(self, count: int) -> None:
        ecs._update_service({"cluster": "cluster", "service": "stack-Workers", "desiredCount": count})

    def processes(self) -> set[int]:
        """Return the IDs of the processes that handle signals, and have not ended."""
        started = {int(file.name) for file in self._folder.glob("[0-9]*")}
        return started & {process.id for process in running_processes()}


@pytest.fixture
def create_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], _Service]]:
    """A function that creates a service with one task in an emulator of ECS."""
    for name in ("_docker", "_stop_task", "_reconcile_service_tasks", "_make_deployment"):
        monkeypatch.setattr(ecs, name, getattr(ecs, name))
    monkeypatch.setitem(ecs._ACTION_MAP, "StopTask", ecs._ACTION_MAP["StopTask"])
    for kind, handler in list(_RESOURCE_HANDLERS.items()):
        monkeypatch.setitem(_RESOURCE_HANDLERS, kind, dict(handler))
    monkeypatch.setattr(alb, "_proxy_http_target", alb._proxy_http_target)
    monkeypatch.setattr(stacks, "_runs_on_worker_thread", stacks._runs_on_worker_thread)
    monkeypatch.setattr(ecs, "_ECS_DEPLOYMENT_STEADY_DELAY", 0.1)
    with request_scope(ACCOUNT, REGION):
        ecs_tasks.extend()
        ecs_resources.extend()
        cloudwatch_logs._create_log_group({"logGroupName": "tasks"})
        ecs._create_cluster({"clusterName": "cluster"})
        monkeypatch.setitem(container_images._images, "test:1", Image(tmp_path, Dockerfile({}, (), ())))
        monkeypatch.setitem(container_images._digests, "test:1", "sha256:1")
        monkeypatch.setitem(container_images._images, "test@sha256:1", Image(tmp_path, Dockerfile({}, (), ())))
        services: list[_Service] = []

        def create(behavior: str) -> _Service:
            services.append(_Service(tmp_path, behavior))
            return services[-1]

        yield create
        (tmp_path / "may-end").touch()
        for service in services:
            service.delete()
        ecs.reset()
        del cloudwatch_logs._log_groups["tasks"]


def _tasks(status: str) -> list[dict[str, Any]]:
    return [task for task in [*ecs._tasks.values()] if task["lastStatus"] == status]


def _stop(task: dict[str, Any]) -> None:
    answer = ecs._ACTION_MAP["StopTask"]({"cluster": "cluster", "task": task["taskArn"]})
    assert json.loads(answer[2])["task"]["desiredStatus"] == "STOPPED"


@pytest.mark.parametrize(("behavior", "exit_code"), [("slowly", 3), ("never", 128 + signal.SIGKILL)])
def test_stopped_task_has_its_stop_timeout(
    create_service: Callable[[str], _Service], tmp_path: Path, behavior: str, exit_code: int
) -> None:
    service = create_service(behavior)
    (process,) = eventually(service.processes)
    (task,) = _tasks("RUNNING")
    _stop(task)
    assert behavior == "never" or process in service.processes(), "StopTask waited for the process"
    (tmp_path / "may-end").touch()
    eventually(lambda: task["lastStatus"] == "STOPPED")
    assert process not in service.processes()
    assert task["containers"][0]["exitCode"] == exit_code
    assert eventually(service.processes), "the service does not replace the task"


def test_killed_task_is_replaced(create_service: Callable[[str], _Service]) -> None:
    service = create_service("slowly")
    (process,) = eventually(service.processes)
    os.kill(process, signal.SIGKILL)
    assert eventually(lambda: service.processes() - {process})
    (task,) = _tasks("STOPPED")
    assert task["containers"][0]["exitCode"] == 128 + signal.SIGKILL


def test_scale_in_deployment_and_deletion_use_the_stop_timeout(
    create_service: Callable[[str], _Service], tmp_path: Path
) -> None:
    (tmp_path / "may-end").touch()
    service = create_service("slowly")
    service.scale(3)
    eventually(lambda: len(service.processes()) == 3)
    service.scale(1)
    eventually(lambda: len(_tasks("STOPPED")) == 2)
    service.update("never")
    eventually(lambda: len(_tasks("STOPPED")) == 3)
    eventually(lambda: len(service.processes()) == 1)
    service.delete()
    assert service.processes() == set()
    codes = [task["containers"][0]["exitCode"] for task in _tasks("STOPPED")]
    assert sorted(codes) == [3, 3, 3, 128 + signal.SIGKILL]


def test_update_keeps_the_count_of_a_service_without_desired_count(
    create_service: Callable[[str], _Service], tmp_path: Path
) -> None:
    (tmp_path / "may-end").touch()
    service = create_service("slowly")
    assert len(eventually(service.processes)) == 1
    service.scale(0)
    eventually(lambda: not service.processes())
    service.update("slowly")
    assert service.processes() == set()
    assert ecs._services["cluster/stack-Workers"]["desiredCount"] == 0
    service.scale(2)
    eventually(lambda: len(service.processes()) == 2)
