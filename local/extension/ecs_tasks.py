"""Tasks of ECS that run: in the place of Docker, local processes.

Real: the emulator's own ECS starts, watches and restarts tasks, keeps to the desired count, opens the circuit breaker,
registers targets and answers the metadata endpoint; the program runs with its task role, and is a target once it
listens. On paper only: hosts and their capacity, Spot, health checks after that, what the network lets through, and
the 30 seconds after which ECS kills what does not end (5 here).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ministack.services import ecs

from local.extension import container_images
from local.extension.container_processes import Process, require_logging

_NETWORK = "local"

# Longer than any program here takes to start, on a machine that is busy.
_STARTING_SECONDS = 30


def extend() -> None:
    """Give ECS the Docker it looks for, and let services notice when one of their tasks is stopped."""
    ecs._docker, ecs._tasks, ecs._task_defs, ecs._reconcile_service_tasks  # noqa: B018  # stop early if gone
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
    ecs._docker = _Docker()


class _Container:
    """A process with the face of a container."""

    def __init__(self, process: Process, labels: Mapping[str, str]) -> None:
        self.id = process.id
        self.labels = labels
        self.attrs = {"NetworkSettings": {"Networks": {_NETWORK: {"IPAddress": process.address}}}}
        self._process = process

    @property
    def status(self) -> str:
        return "running" if self._process.running else "exited"

    def reload(self) -> None:
        """Nothing is kept that could be old."""

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._process.wait()}

    def stop(self, timeout: float) -> None:
        self._process.stop(timeout)

    def remove(self, v: bool = False, force: bool = False) -> None:
        self._process.stop(timeout=0)
        _containers.pop(self.id, None)

    def logs(self, **options: bool) -> Iterator[bytes]:
        return (f"{line}\n".encode() for line in self._process.lines())


class _Emulator:
    """The emulator's own "container": it is found by its host name, and tells tasks where the emulator is."""

    attrs = {"NetworkSettings": {"Networks": {_NETWORK: {"IPAddress": "127.0.0.1"}}}}  # noqa: RUF012


_containers: dict[str, _Container] = {}


class _Containers:
    def get(self, container_id: str) -> _Container | _Emulator:
        if container_id == os.environ.get("HOSTNAME", ""):
            return _Emulator()
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
        program = container_images.pull(image, execution_role)
        require_logging(execution_role, container_definition["logConfiguration"]["options"]["awslogs-group"])
        process = Process(
            program,
            arguments=command,
            environment=environment,
            role_arn=definition["taskRoleArn"] or None,
        )
        # As a load balancer does, which sends nobody to a target before it is healthy.
        for mapping in container_definition.get("portMappings", []):
            process.wait_for_port(mapping["containerPort"], _STARTING_SECONDS)
        container = _containers[process.id] = _Container(process, labels)
        return container


class _Image:
    """What `pull` and `get` answer: enough to be there."""

    def tag(self, repository: str, tag: str) -> bool:
        return True


class _RegistryData:
    def __init__(self, digest: str) -> None:
        self.id = digest


class _Images:
    def get(self, uri: str) -> _Image:
        container_images.find(uri)
        return _Image()

    def pull(self, uri: str, **options: object) -> _Image:
        return self.get(uri)

    def get_registry_data(self, uri: str) -> _RegistryData:
        return _RegistryData(container_images.digest(uri))


class _Docker:
    containers = _Containers()
    images = _Images()
