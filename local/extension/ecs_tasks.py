"""ECS tasks: containers run as local processes, behind the parts of the Docker SDK that the emulator uses.

Emulated: the emulator's own ECS starts, monitors, and restarts tasks, maintains the desired count, opens the circuit
breaker, registers targets, and serves the metadata endpoint. A program runs with its task role and becomes a target
when it listens. All programs share 127.0.0.1, so a program must listen on the port in its variable PORT, to which load
balancers forward the requests for its container port. A stopped task receives SIGTERM and, after the stop timeout of
its container (default: 30 s), SIGKILL. Not emulated: several ports of a container, container instances and their
capacity, Spot, health checks of running tasks, and network rules.
"""

import ipaddress
import itertools
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from ministack.core.concurrency import resource_lock, spawn_background
from ministack.core.responses import error_response_json, json_response
from ministack.services import alb, ecs

from local.extension import container_images
from local.extension.container_processes import Process, require_logging
from local.extension.measurements import watch
from local.ports import HOST, free_port

# Longer than any program takes to start on a busy machine.
_START_TIMEOUT_SECONDS = 30

# "If the parameter isn't specified, then the default value of 30 seconds is used."
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
_DEFAULT_STOP_TIMEOUT_SECONDS = 30

# Like a task in a VPC, each has an address of its own, by which the emulator distinguishes targets. No program uses it.
_addresses = map(str, itertools.cycle(ipaddress.IPv4Network("10.0.0.0/16").hosts()))


def extend() -> None:
    """Provide Docker to ECS, forward requests to tasks, and replace a service's task that is stopped."""
    ecs._ACTION_MAP["StopTask"] = ecs._stop_task = _stop_task
    ecs._docker = SimpleNamespace(containers=_Containers(), images=_Images())
    _reconcile_one_at_a_time()
    _forward_to_ports()


def _reconcile_one_at_a_time() -> None:
    """Let one thread at a time start the missing tasks of services. Several threads would each start all of them."""
    reconcile, lock = ecs._reconcile_service_tasks, threading.RLock()

    def reconcile_alone(cluster: str, service: str) -> None:
        with lock:
            reconcile(cluster, service)

    ecs._reconcile_service_tasks = reconcile_alone


def _stop_task(data: dict[str, Any]) -> Any:
    """Stop a task, and return before its containers have ended. The emulator itself waits for them."""
    cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
    task = None if cluster is None else ecs._resolve_task(data["task"], cluster)
    if task is None:
        return error_response_json("InvalidParameterException", "The referenced task was not found.", 400)
    with resource_lock("ecs-task", task["taskArn"]):
        if is_active := ecs._task_is_active(task["taskArn"], task):
            ecs._bump_task_version(task)
            task |= {
                "desiredStatus": "STOPPED",
                "lastStatus": "STOPPING",
                "stoppingAt": ecs._iso(),
                "stoppedReason": data.get("reason", "Task stopped by user"),
                "stopCode": "UserInitiated",
            }
    if is_active:
        _refresh_counts(task)
        spawn_background(_end_task, task, thread_name=f"stop-{task['taskArn'].rpartition('/')[2]}")
    return json_response({"task": ecs._sanitize(task)})


def _end_task(task: dict[str, Any]) -> None:
    """Replace a task of a service that is being stopped, end its containers, and report their exit codes."""
    cluster = task["clusterArn"].rpartition("/")[2]
    if task["group"].startswith("service:"):
        ecs._reconcile_service_tasks(cluster, f"{cluster}/{task['group'].removeprefix('service:')}")
    exit_codes = [
        container.stop(0) for container_id in task["_docker_ids"] if (container := _containers.get(container_id))
    ]
    with resource_lock("ecs-task", task["taskArn"]):
        for container, exit_code in itertools.zip_longest(task["containers"], exit_codes):
            container |= {"lastStatus": "STOPPED"} | ({} if exit_code is None else {"exitCode": exit_code})
        ecs._bump_task_version(task)
        task |= {"lastStatus": "STOPPED", "stoppedAt": ecs._iso(), "executionStoppedAt": ecs._iso()}
    ecs._cleanup_task_resources(task, ecs._docker)
    _refresh_counts(task)


def _refresh_counts(task: dict[str, Any]) -> None:
    cluster = task["clusterArn"].rpartition("/")[2]
    ecs._recount_cluster(cluster)
    ecs._refresh_service_state(cluster, task["group"])


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

    def __init__(self, process: Process, port: int | None, labels: Mapping[str, str], stop_timeout: float) -> None:
        self.id = process.id
        self.address = next(_addresses)
        self.port = port
        self.labels = labels
        self.attrs = _network_settings(self.address)
        self._process = process
        self._stop_timeout = stop_timeout

    @property
    def status(self) -> str:
        return "running" if self._process.running else "exited"

    def reload(self) -> None:
        """Do nothing: all attributes are current."""

    def wait(self) -> dict[str, int]:
        return {"StatusCode": self._process.wait()}

    def stop(self, timeout: float) -> int:
        """Stop the process, with the stop timeout of the container instead of the emulator's, and return its status."""
        return self._process.stop(self._stop_timeout)

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
        watch("task", definition["family"], definition["taskRoleArn"], process)
        # A load balancer sends no requests to a target that is not healthy.
        if port:
            _wait_until_listening(process, port, task)
        stop_timeout = float(container_definition.get("stopTimeout", _DEFAULT_STOP_TIMEOUT_SECONDS))
        container = _containers[process.id] = _Container(process, port, labels, stop_timeout)
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
