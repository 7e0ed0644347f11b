"""Load balancers: shares of several target groups, an address that leads to them, and rules of security groups.

Real: the weights of a listener's target groups; the load balancer's name, which here is a path of the emulator's own
address. On paper only: security groups, which keep nobody out of this machine's loopback, and health checks.
"""

import os
import random
from typing import Any

from ministack.services import alb, ec2
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS, _physical_name


def extend() -> None:
    """Replace and add handlers, and how a listener forwards."""
    _address_load_balancers()
    _share_between_target_groups()
    for direction in ("Ingress", "Egress"):
        _RESOURCE_HANDLERS[f"AWS::EC2::SecurityGroup{direction}"] = _rules(direction)


def _address_load_balancers() -> None:
    handler = _RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
    create = handler["create"]

    def create_with_address(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        # No name server knows the name that AWS would give it.
        address = f"127.0.0.1:{os.environ['GATEWAY_PORT']}/_alb/{attributes['LoadBalancerName']}"
        alb._lbs[arn]["DNSName"] = address
        return arn, {**attributes, "DNSName": address}

    handler["create"] = create_with_address


def _share_between_target_groups() -> None:
    listener_actions, execute = provisioners._elbv2_listener_actions, alb._execute_action

    def actions_with_shares(props: dict[str, Any], lb_arn: str, prop: str = "DefaultActions") -> list[dict[str, Any]]:
        actions: list[dict[str, Any]] = listener_actions(props, lb_arn, prop)
        for action, declared in zip(actions, props.get(prop) or [], strict=True):
            if config := declared.get("ForwardConfig"):
                action["ForwardConfig"] = config
        return actions

    async def execute_by_share(action: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if groups := action.get("ForwardConfig", {}).get("TargetGroups"):
            weights = [int(group.get("Weight", 1)) for group in groups]
            (chosen,) = random.choices(groups, weights)
            action = {**action, "TargetGroupArn": chosen["TargetGroupArn"]}
        return await execute(action, *args, **kwargs)

    provisioners._elbv2_listener_actions = actions_with_shares
    alb._execute_action = execute_by_share


def _rules(direction: str) -> dict[str, Any]:
    field = "IpPermissions" if direction == "Ingress" else "IpPermissionsEgress"

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        ec2._security_groups[props["GroupId"]][field] += provisioners._ec2_sg_permissions([props])
        return _physical_name(stack_name, logical_id), {}

    def delete(physical_id: str, props: dict[str, Any]) -> None:
        group = ec2._security_groups.get(props["GroupId"], {field: []})
        for permission in provisioners._ec2_sg_permissions([props]):
            if permission in group[field]:
                group[field].remove(permission)

    return {"create": create, "delete": delete}
