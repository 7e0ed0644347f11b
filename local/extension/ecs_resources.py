"""CloudFormation's handlers around ECS: capacity providers, services that are waited for, scaling.

Real: capacity providers and their place in a cluster, and that they cannot be deleted while in use; a service whose
tasks do not start fails the deployment, which is then rolled back. On paper only: Auto Scaling groups have no hosts,
and Application Auto Scaling does not exist: its targets and policies are accepted and never act.
"""

import json
import time
from typing import Any

from ministack.services import ecs, ssm
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS, _pascal_to_camel, _physical_name

from local.extension.waiting import may_wait

_AMI_PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"

# Three tries at a task whose program ends at once take two.
_PATIENCE_SECONDS = 60


def extend() -> None:
    """Add the handlers."""
    ssm._PUBLIC_AMI_PARAMETERS[_AMI_PARAMETER] = "ami-0ec5a12023a2c4e5f"
    _RESOURCE_HANDLERS["AWS::ECS::CapacityProvider"] = {
        "create": _create_provider,
        "update": _update_provider,
        "delete": _delete_provider,
    }
    _RESOURCE_HANDLERS["AWS::ECS::ClusterCapacityProviderAssociations"] = {
        "create": lambda logical_id, props, stack_name: _associate(props),
        "update": lambda physical_id, old, new, stack_name: _associate(new),
        "delete": lambda physical_id, props: _associate({"Cluster": physical_id}),
    }
    for resource_type in ("ScalableTarget", "ScalingPolicy"):
        _RESOURCE_HANDLERS[f"AWS::ApplicationAutoScaling::{resource_type}"] = {
            "create": lambda logical_id, props, stack_name: (_physical_name(stack_name, logical_id), {}),
            "update": lambda physical_id, old, new, stack_name: (physical_id, {}),
            "delete": lambda physical_id, props: None,
        }
    _wait_for_services()


def _create_provider(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    name = props.get("Name") or _physical_name(stack_name, logical_id)
    _done(ecs._create_capacity_provider({**_pascal_to_camel(props), "name": name}))
    return name, {}


def _update_provider(
    name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
) -> tuple[str, dict[str, Any]]:
    ecs._capacity_providers[name] |= _pascal_to_camel({"AutoScalingGroupProvider": new["AutoScalingGroupProvider"]})
    return name, {}


def _delete_provider(name: str, props: dict[str, Any]) -> None:
    if using := [key for key, cluster in ecs._clusters.items() if name in cluster.get("capacityProviders", [])]:
        raise ValueError(f"The specified capacity provider is in use by {using} and cannot be deleted.")
    _done(ecs._delete_capacity_provider({"capacityProvider": name}))


def _associate(props: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    cluster, providers = props["Cluster"], props.get("CapacityProviders", [])
    for key, service in ecs._services.items():
        used = {choice["capacityProvider"] for choice in service.get("capacityProviderStrategy") or []}
        if key.startswith(f"{cluster}/") and service["status"] == "ACTIVE" and not used <= set(providers):
            raise ValueError(f"The specified capacity provider is in use by {key} and cannot be removed.")
    strategy = _pascal_to_camel(props.get("DefaultCapacityProviderStrategy", []))
    _done(
        ecs._put_cluster_capacity_providers(
            {"cluster": cluster, "capacityProviders": providers, "defaultCapacityProviderStrategy": strategy}
        )
    )
    return cluster, {}


def _done(answer: tuple[int, Any, bytes]) -> None:
    if answer[0] >= 400:
        raise ValueError(json.loads(answer[2])["message"])


def _wait_for_services() -> None:
    """As CloudFormation does: a service is there when its tasks run, and failed when the circuit breaker says so."""
    handler, make_deployment = _RESOURCE_HANDLERS["AWS::ECS::Service"], ecs._make_deployment
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def make_unfinished(*args: Any, **kwargs: Any) -> dict[str, Any]:
        # The emulator takes the first deployment of a service for completed, and so never stops trying it.
        deployment: dict[str, Any] = make_deployment(*args, **kwargs)
        return deployment | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": ""}

    def create_and_wait(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _check_providers(props)
        result = create(logical_id, props, stack_name)
        try:
            _wait_for(result[0], props["TaskDefinition"])
        except (TimeoutError, ValueError):
            delete(result[0], props)  # CloudFormation takes back what it could not finish
            raise
        return result

    def update_and_wait(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        result = update(physical_id, old, new, stack_name)
        _wait_for(result[0], new["TaskDefinition"])
        return result

    ecs._make_deployment = make_unfinished
    handler.update(create=create_and_wait, update=update_and_wait)
    may_wait("AWS::ECS::Service")


def _check_providers(props: dict[str, Any]) -> None:
    known = ecs._clusters[props["Cluster"]].get("capacityProviders", [])
    for choice in props.get("CapacityProviderStrategy", []):
        if choice["CapacityProvider"] not in known:
            raise ValueError(f"The capacity provider {choice['CapacityProvider']} is not associated with the cluster.")


def _wait_for(service_arn: str, task_definition: str) -> None:
    service = ecs._services["/".join(service_arn.split("/")[-2:])]
    # The primary one may be that of before again, if this one has failed already.
    (deployment, *_) = [found for found in service["deployments"] if found["taskDefinition"] == task_definition]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while deployment["rolloutState"] == "IN_PROGRESS":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{service['serviceName']} has not become stable.")
        time.sleep(0.05)
    if deployment["rolloutState"] != "COMPLETED":
        raise ValueError(f"{service['serviceName']}: {deployment['rolloutStateReason']}")
