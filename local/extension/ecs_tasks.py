"""ECS tasks: containers run as local processes, behind the parts of the Docker SDK that the emulator uses.

Emulated: the emulator's own ECS starts, monitors, and restarts tasks, maintains the desired count, opens the circuit
breaker, registers targets, and serves the metadata endpoint. A program runs with its task role and becomes a target
when it listens. All programs share 127.0.0.1, so a program must listen on the port in its variable PORT, to which load
balancers forward the requests for its container port. Not emulated: several ports of a container, container instances
and their capacity, Spot, health checks of running tasks, and network rules. ECS stops a task with SIGKILL after 5 s
instead of 30 s.
"""

import ipaddress
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from ministack.services import alb, ecs

from local.extension import container_images
from local.extension.container_processes import Process, require_logging
from local.ports import HOST, free_port

# Longer than any program takes to start on a busy machine.
_START_TIMEOUT_SECONDS = 30

# Like a task in a VPC, each has an address of its own, by which the emulator distinguishes targets. No program uses it.
_addresses = map(str, itertools.cycle(ipaddress.IPv4Network("10.0.0.0/16").hosts()))


def extend() -> None:
    """Provide Docker to ECS, forward requests to tasks, and replace a service's task that is stopped."""
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
    _forward_to_ports()


def _forward_to_ports() -> None:
    proxy = alb._proxy_http_target

    async def proxy_to_port(target: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        ports = {container.address: container.port for container in [*_containers.values()]}
        if target["Id"] in ports:
            target = {"Id": HOST, "Port": ports[target["Id"]]}
        return await proxy(target, *args, **kwargs)

    alb._proxy_http_target = proxy_to_port


def _network_settings(address: str) -> dict[str, Any]:
    return {"NetworkSettings": {"Networks": {"local": {"IPAddress": address}}}}


class _Container:
    """A process with the interface of a container."""

    def __init__(self, process: Process, port: int | None, labels: Mapping[str, str]) -> None:
        self.id = process.id
        self.address = next(_addresses)
        self.port = port
        self.labels = labels
        self.attrs = _network_settings(self.address)
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
            return SimpleNamespace(attrs=_network_settings(HOST))
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
        port = free_port() if container_definition.get("portMappings") else None
        process = Process(
            pulled,
            arguments=command,
            environment={**environment, "HOST": HOST, "PORT": str(port)} if port else environment,
            role_arn=definition["taskRoleArn"] or None,
        )
        # A load balancer sends no requests to a target that is not healthy.
        if port:
            _wait_until_listening(process, port, task)
        container = _containers[process.id] = _Container(process, port, labels)
        return container


def _wait_until_listening(process: Process, port: int, task: dict[str, Any]) -> None:
    """Wait until a program listens on its port. Keep the reason in the task if it ends or takes too long."""
    try:
        process.wait_for_port(port, _START_TIMEOUT_SECONDS)
        if process.running:
            return
        reason = f"ended with status {process.wait()}: {process.last_line}"
    except TimeoutError:
        process.stop(timeout=0)
        reason = f"did not listen within {_START_TIMEOUT_SECONDS} s. It must use its variables HOST and PORT."
    (container,) = task["containers"]
    container["reason"] = f"The program for {HOST}:{port} {reason}"


class _Images:
    def get(self, uri: str) -> Any:
        container_images.find(uri)
        return SimpleNamespace(tag=lambda repository, tag: True)

    def pull(self, uri: str, **options: object) -> Any:
        return self.get(uri)

    def get_registry_data(self, uri: str) -> Any:
        return SimpleNamespace(id=container_images.digest(uri))
