"""ECS tasks: containers run as local processes, behind the parts of the Docker SDK that the emulator uses.

Emulated: the emulator's own ECS starts, monitors, and restarts tasks, maintains the desired count, opens the circuit
breaker, registers targets, and serves the metadata endpoint. A program runs with its task role and becomes a target
when it listens. Not emulated: container instances and their capacity, Spot, health checks of running tasks, and network
rules. ECS stops a task with SIGKILL after 5 s instead of 30 s.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from ministack.services import ecs

from local.extension import container_images
from local.extension.container_processes import Process, require_logging

# Longer than any program takes to start on a busy machine.
_START_TIMEOUT_SECONDS = 30


def extend() -> None:
    """Provide Docker to ECS, and replace a service's task that is stopped."""
    stop_task = ecs._ACTION_MAP["StopTask"]

    def stop_and_replace(data: dict[str, Any]) -> Any:
        answer = stop_task(data)
        task = json.loads(answer[2]).get("task", {})
        kind, _, service = task.get("group", "").partition(":")
        if kind == "service":
            cluster = task["clusterArn"].rpartition("/")[2]
            ecs._reconcile_service_tasks(cluster, f"{cluster}/{service}")
        return answer

    ecs._ACTION_MAP["StopTask"] = stop_and_replace
    ecs._docker = SimpleNamespace(containers=_Containers(), images=_Images())


def _network_settings(address: str) -> dict[str, Any]:
    return {"NetworkSettings": {"Networks": {"local": {"IPAddress": address}}}}


class _Container:
    """A process with the interface of a container."""

    def __init__(self, process: Process, labels: Mapping[str, str]) -> None:
        self.id = process.id
        self.labels = labels
        self.attrs = _network_settings(process.address)
        self._process = process

    @property
    def status(self) -> str:
        return "running" if self._process.running else "exited"

    def reload(self) -> None:
        """Do nothing: all attributes are current."""

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._process.wait()}

    def stop(self, timeout: float) -> None:
        self._process.stop(timeout)

    def remove(self, v: bool = False, force: bool = False) -> None:
        self._process.stop(timeout=0)
        _containers.pop(self.id, None)

    def logs(self, **options: bool) -> Iterator[bytes]:
        return (f"{line}\n".encode() for line in self._process.lines())


_containers: dict[str, _Container] = {}


class _Containers:
    def get(self, container_id: str) -> Any:
        if container_id == os.environ.get("HOSTNAME", ""):  # the emulator looks for its own container
            return SimpleNamespace(attrs=_network_settings("127.0.0.1"))
        if container_id not in _containers:
            raise LookupError(f"No such container: {container_id}")
        return _containers[container_id]

    def list(self, **filters: object) -> Sequence[_Container]:
        return [*_containers.values()]

    def run(
        self, image: str, *, environment: Mapping[str, str], labels: Mapping[str, str], command: Any, **options: object
    ) -> _Container:
        task = ecs._tasks[labels["com.amazonaws.ecs.task-arn"]]
        definition = ecs._task_defs[task["taskDefinitionArn"].rpartition("/")[2]]
        (container_definition,) = definition["containerDefinitions"]
        execution_role = definition["executionRoleArn"] or None
        pulled = container_images.pull(image, execution_role)
        require_logging(execution_role, container_definition["logConfiguration"]["options"]["awslogs-group"])
        process = Process(
            pulled, arguments=command, environment=environment, role_arn=definition["taskRoleArn"] or None
        )
        # A load balancer sends no requests to a target that is not healthy.
        for mapping in container_definition.get("portMappings", []):
            process.wait_for_port(mapping["containerPort"], _START_TIMEOUT_SECONDS)
        container = _containers[process.id] = _Container(process, labels)
        return container


class _Images:
    def get(self, uri: str) -> Any:
        container_images.find(uri)
        return SimpleNamespace(tag=lambda repository, tag: True)

    def pull(self, uri: str, **options: object) -> Any:
        return self.get(uri)

    def get_registry_data(self, uri: str) -> Any:
        return SimpleNamespace(id=container_images.digest(uri))
