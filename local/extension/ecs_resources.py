"""ECS in CloudFormation: capacity providers, and services.

The emulator has only the API of capacity providers, and considers a service complete before its tasks have started.

Emulated: capacity providers and their associations, which cannot be removed while a service uses them; a service whose
tasks do not start fails the deployment, which CloudFormation then rolls back; a service without a desired count starts
with one task and keeps its count in updates. Stricter than AWS: a service is deleted when its tasks have ended. Not
emulated: the instances of Auto Scaling groups.
"""

import time
from typing import Any

from ministack.services import ecs, ssm
from ministack.services.cloudformation import stacks
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension.cloudformation import Properties, call, register

_AMI_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"

# Three attempts at a task whose program exits immediately take two seconds.
_STABLE_TIMEOUT_SECONDS = 60

# The longest stop timeout on Fargate is 120 s.
_STOP_TIMEOUT_SECONDS = 150


def extend() -> None:
    """Register the resource types, and wait for services."""
    ssm._PUBLIC_AMI_PARAMETERS[_AMI_PARAMETER] = "ami-0ec5a12023a2c4e5f"
    register(
        "AWS::ECS::CapacityProvider",
        create=_create_provider,
        update=_update_provider,
        delete=_delete_provider,
    )
    register(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        create=lambda name, props: (props["Cluster"], _associate(props)),
        update=lambda cluster, props: _associate(props),
        delete=lambda cluster, props: _associate({"Cluster": cluster}),
    )
    _wait_for_stable_services()


def _create_provider(name: str, props: Properties) -> tuple[str, Properties]:
    properties = {"Name": name, **props}
    call("ecs", "CreateCapacityProvider", properties)
    return properties["Name"], {}


def _update_provider(name: str, props: Properties) -> Properties:
    provider = {key: value for key, value in props["AutoScalingGroupProvider"].items() if key != "AutoScalingGroupArn"}
    call("ecs", "UpdateCapacityProvider", {"Name": name, "AutoScalingGroupProvider": provider})
    return {}


def _delete_provider(name: str, props: Properties) -> None:
    if users := [key for key, cluster in ecs._clusters.items() if name in cluster.get("capacityProviders", [])]:
        raise ValueError(f"The specified capacity provider is in use by {users} and cannot be deleted.")
    call("ecs", "DeleteCapacityProvider", {"CapacityProvider": name})


def _associate(props: Properties) -> Properties:
    providers = props.get("CapacityProviders", [])
    for key, service in ecs._services.items():
        used = {choice["capacityProvider"] for choice in service.get("capacityProviderStrategy") or []}
        if key.startswith(f"{props['Cluster']}/") and service["status"] == "ACTIVE" and not used <= set(providers):
            raise ValueError(f"The specified capacity provider is in use by {key} and cannot be removed.")
    call(
        "ecs",
        "PutClusterCapacityProviders",
        {
            "Cluster": props["Cluster"],
            "CapacityProviders": providers,
            "DefaultCapacityProviderStrategy": props.get("DefaultCapacityProviderStrategy", []),
        },
    )
    return {}


def _wait_for_stable_services() -> None:
    """Finish a service when its deployment has completed, and fail it when the circuit breaker stops the deployment."""
    handler, make_deployment = _RESOURCE_HANDLERS["AWS::ECS::Service"], ecs._make_deployment
    create, update, delete = handler["create"], handler["update"], handler["delete"]
    runs_on_worker_thread = stacks._runs_on_worker_thread

    def make_incomplete_deployment(*args: Any, **kwargs: Any) -> dict[str, Any]:
        # The emulator starts the first deployment as COMPLETED, so its circuit breaker never opens.
        deployment: dict[str, Any] = make_deployment(*args, **kwargs)
        return deployment | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": ""}

    def create_and_wait(logical_id: str, props: Properties, stack_name: str) -> Any:
        _check_providers(props)
        result = create(logical_id, props, stack_name)
        try:
            _wait_until_stable(result[0], props["TaskDefinition"])
        except (TimeoutError, ValueError):
            delete_and_wait(result[0], props)
            raise
        return result

    def update_and_wait(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Any:
        result = update(physical_id, old, new, stack_name)
        _wait_until_stable(result[0], new["TaskDefinition"])
        return result

    def delete_and_wait(physical_id: str, props: Properties) -> None:
        delete(physical_id, props)
        _wait_until_stopped(physical_id)

    ecs._make_deployment = make_incomplete_deployment
    handler.update(create=create_and_wait, update=update_and_wait, delete=delete_and_wait)
    # On the event loop, which starts the tasks, the handler would wait for itself.
    stacks._runs_on_worker_thread = lambda kind: kind == "AWS::ECS::Service" or runs_on_worker_thread(kind)


def _check_providers(props: Properties) -> None:
    associated = ecs._clusters[props["Cluster"]].get("capacityProviders", [])
    for choice in props.get("CapacityProviderStrategy", []):
        if choice["CapacityProvider"] not in associated:
            raise ValueError(f"The capacity provider {choice['CapacityProvider']} is not associated with the cluster.")


def _wait_until_stable(service_arn: str, task_definition: str) -> None:
    service = ecs._services["/".join(service_arn.split("/")[-2:])]
    # If the new deployment has failed already, the primary deployment is the previous one.
    (deployment, *_) = [found for found in service["deployments"] if found["taskDefinition"] == task_definition]
    deadline = time.monotonic() + _STABLE_TIMEOUT_SECONDS
    while deployment["rolloutState"] == "IN_PROGRESS":
        if time.monotonic() > deadline:
            reason = _last_failure(service, task_definition)
            raise TimeoutError(f"{service['serviceName']} is not stable after {_STABLE_TIMEOUT_SECONDS} s. {reason}")
        time.sleep(0.05)
    if deployment["rolloutState"] != "COMPLETED":
        reason = _last_failure(service, task_definition)
        raise ValueError(f"{service['serviceName']}: {deployment['rolloutStateReason']} {reason}")


def _wait_until_stopped(service_arn: str) -> None:
    cluster, name = service_arn.split("/")[-2:]
    deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
    while any(
        task["group"] == f"service:{name}"
        and task["clusterArn"].endswith(f"/{cluster}")
        and task["lastStatus"] != "STOPPED"
        for task in [*ecs._tasks.values()]
    ):
        if time.monotonic() > deadline:
            raise TimeoutError(f"The tasks of {name} still run after {_STOP_TIMEOUT_SECONDS} s.")
        time.sleep(0.05)


def _last_failure(service: dict[str, Any], task_definition: str) -> str:
    """Return why the last task of a deployment stopped."""
    failed = [
        task
        for task in [*ecs._tasks.values()]
        if task["group"] == f"service:{service['serviceName']}"
        and task["taskDefinitionArn"] == task_definition
        and task["stoppedReason"]
    ]
    if not failed:
        return ""
    task = max(failed, key=lambda task: task["stoppedAt"])
    reasons = [task["stoppedReason"], *(container.get("reason", "") for container in task["containers"])]
    return f"Last task: {'. '.join(filter(None, reasons))}"
