"""Deployed programs that tests change: functions, and the workers of a service.

Each of them also runs with faults, by `tests/soak/pythonpath/fault_injection.py`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually

PYTHONPATH = ROOT / "tests" / "soak" / "pythonpath"

Variables = Mapping[str, str | None]


@dataclass(frozen=True)
class Function:
    """A Lambda function, from a deployment package or from an image."""

    sandbox: Sandbox = field(repr=False)
    name: str

    @property
    def compute(self) -> str:
        """The value of `thumbnails_on` that uses such a function."""
        return "lambda-image" if self._configuration()["PackageType"] == "Image" else "lambda"

    @contextmanager
    def changed(self, **variables: str | None) -> Iterator[None]:
        """Change environment variables while the block runs. None removes a variable."""
        before = self._configuration()
        self._update(before, _handler(before), variables)
        try:
            yield
        finally:
            self._update(before, _handler(before), {})

    @contextmanager
    def with_faults(self, **options: object) -> Iterator[None]:
        """Inject faults with these options, and those of an enclosing block, while the block runs."""
        before = self._configuration()
        handler, enclosing = _handler(before), json.loads(before["Environment"]["Variables"].get("FAULTS", "{}"))
        faults = json.dumps({"handler": handler, **enclosing, **options})
        self._update(before, "fault_injection.handler", {"FAULTS": faults, "PYTHONPATH": str(PYTHONPATH)})
        try:
            yield
        finally:
            self._update(before, handler, {})

    def _configuration(self) -> dict[str, Any]:
        configuration: dict[str, Any] = self.sandbox.client("lambda").get_function_configuration(FunctionName=self.name)
        return configuration

    def _update(self, configuration: dict[str, Any], handler: str, variables: Variables) -> None:
        is_image = configuration["PackageType"] == "Image"
        named = (
            {"ImageConfig": _image_config(configuration) | {"Command": [handler]}} if is_image else {"Handler": handler}
        )
        changed = _changed(configuration["Environment"]["Variables"], variables)
        self.sandbox.client("lambda").update_function_configuration(
            FunctionName=self.name, Environment={"Variables": changed}, **named
        )


def _handler(configuration: dict[str, Any]) -> str:
    if configuration["PackageType"] == "Image":
        (handler,) = _image_config(configuration)["Command"]
    else:
        handler = configuration["Handler"]
    return str(handler)


def _image_config(configuration: dict[str, Any]) -> dict[str, Any]:
    image_config: dict[str, Any] = configuration["ImageConfigResponse"]["ImageConfig"]
    return image_config


@dataclass(frozen=True)
class Workers:
    """A service on Amazon ECS whose tasks consume a queue."""

    sandbox: Sandbox = field(repr=False)
    arn: str

    @property
    def compute(self) -> str:
        """The value of `thumbnails_on` that uses such a service."""
        (strategy,) = self.describe()["capacityProviderStrategy"]
        return "fargate" if strategy["capacityProvider"].startswith("FARGATE") else "ec2"

    @property
    def cluster(self) -> str:
        """The name of the cluster."""
        return self.arn.split("/")[-2]

    def describe(self) -> dict[str, Any]:
        """Return the service as ECS describes it."""
        ecs = self.sandbox.client("ecs")
        (service,) = ecs.describe_services(cluster=self.cluster, services=[self.arn])["services"]
        return dict(service)

    @contextmanager
    def changed(self, **variables: str | None) -> Iterator[None]:
        """Change environment variables of the workers while the block runs. None removes a variable."""
        with self._revised(self._command(), variables):
            yield

    @contextmanager
    def with_faults(self, **options: object) -> Iterator[None]:
        """Inject faults with these options, and those of an enclosing block, while the block runs."""
        environment = container_environment(self._definition())
        faults = json.dumps({**json.loads(environment.get("FAULTS", "{}")), **options})
        command = ["python", "-m", "fault_injection", "thumbnailer.worker"]
        with self._revised(command, {"FAULTS": faults, "PYTHONPATH": str(PYTHONPATH)}):
            yield

    def scale(self, workers: int) -> None:
        """Set the number of workers, and wait until they run."""
        self.sandbox.client("ecs").update_service(cluster=self.cluster, service=self.arn, desiredCount=workers)
        eventually(lambda: self.describe()["runningCount"] == workers)

    def _definition(self) -> dict[str, Any]:
        task_definition = self.describe()["taskDefinition"]
        return describe_task_definition(self.sandbox, task_definition)

    def _command(self) -> list[str] | None:
        (container,) = self._definition()["containerDefinitions"]
        command: list[str] | None = container.get("command")
        return command

    @contextmanager
    def _revised(self, command: list[str] | None, variables: Variables) -> Iterator[None]:
        before = self._definition()
        environment = _changed(container_environment(before), variables)
        changes: dict[str, Any] = {"environment": [{"name": it, "value": value} for it, value in environment.items()]}
        if command:
            changes["command"] = command
        revision = register_revision(self.sandbox, before, before["family"], **changes)
        try:
            self._use(revision)
            yield
        finally:
            self._use(before["taskDefinitionArn"])
            self.sandbox.client("ecs").deregister_task_definition(taskDefinition=revision)

    def _use(self, task_definition: str) -> None:
        """Deploy a task definition, and wait until no task of another one runs."""
        ecs = self.sandbox.client("ecs")
        ecs.update_service(cluster=self.cluster, service=self.arn, taskDefinition=task_definition)

        def is_deployed() -> bool:
            service = self.describe()
            return service["taskDefinition"] == task_definition and not any(
                it["rolloutState"] == "IN_PROGRESS" or (it["status"] != "PRIMARY" and it["runningCount"])
                for it in service["deployments"]
            )

        eventually(is_deployed)


def describe_task_definition(sandbox: Sandbox, task_definition: str) -> dict[str, Any]:
    """Return a task definition as ECS describes it."""
    described = sandbox.client("ecs").describe_task_definition(taskDefinition=task_definition)
    return dict(described["taskDefinition"])


def container_environment(definition: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables of the container of a task definition."""
    (container,) = definition["containerDefinitions"]
    return {variable["name"]: variable["value"] for variable in container.get("environment", [])}


def register_revision(sandbox: Sandbox, definition: dict[str, Any], family: str, **changes: Any) -> str:
    """Register a task definition whose container differs from that of another one. Returns its ARN."""
    (container,) = definition["containerDefinitions"]
    kept = ("taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory")
    registered = sandbox.client("ecs").register_task_definition(
        family=family,
        containerDefinitions=[{**container, **changes}],
        **{name: definition[name] for name in kept if definition.get(name)},
    )
    arn: str = registered["taskDefinition"]["taskDefinitionArn"]
    return arn


def _changed(before: Mapping[str, str], changes: Variables) -> dict[str, str]:
    return {name: value for name, value in {**before, **changes}.items() if value is not None}


def thumbnail_consumers(sandbox: Sandbox) -> list[Function | Workers]:
    """Return what consumes the upload queue: functions with an event source mapping, and services that know the queue.

    Only services of clusters of this deployment are considered.
    """
    queue = sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    arn = sandbox.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    mappings = sandbox.client("lambda").list_event_source_mappings(EventSourceArn=arn["QueueArn"])
    functions = [it["FunctionArn"].rpartition(":")[2] for it in mappings["EventSourceMappings"]]
    return [
        *(Function(sandbox, name) for name in functions),
        *(Workers(sandbox, service) for service in _services(sandbox, queue)),
    ]


def _services(sandbox: Sandbox, queue: str) -> Iterator[str]:
    ecs = sandbox.client("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:
        services = ecs.list_services(cluster=cluster)["serviceArns"]
        for service in ecs.describe_services(cluster=cluster, services=services)["services"] if services else ():
            definition = describe_task_definition(sandbox, service["taskDefinition"])
            if service["status"] == "ACTIVE" and container_environment(definition).get("UPLOAD_QUEUE_URL") == queue:
                yield service["serviceArn"]


def thumbnail_consumer(sandbox: Sandbox) -> Function | Workers:
    """Return the only consumer of the upload queue."""
    (consumer,) = thumbnail_consumers(sandbox)
    return consumer


def thumbnail_function(sandbox: Sandbox) -> Function:
    """Return the function that consumes the upload queue."""
    consumer = thumbnail_consumer(sandbox)
    assert isinstance(consumer, Function)
    return consumer
