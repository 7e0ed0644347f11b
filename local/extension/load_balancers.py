"""Application Load Balancers: weighted target groups, a local URL, and the rules of security groups.

Emulated: the weights of a listener's target groups, and the DNS name, which is a path of the emulator's URL. Not
emulated: security groups, which allow all traffic on loopback, and health checks.
"""

import random
from typing import Any

from ministack.services import alb, ec2
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension import iam_roles
from local.extension.cloudformation import Properties, register


def extend() -> None:
    """Extend load balancers and listeners, and register the rules of security groups."""
    _use_local_url()
    _forward_by_weight()
    for direction, field in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        _register_rules(f"AWS::EC2::SecurityGroup{direction}", field)


def _use_local_url() -> None:
    handler = _RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
    create = handler["create"]

    def create_with_local_url(logical_id: str, props: Properties, stack_name: str) -> Any:
        arn, attributes = create(logical_id, props, stack_name)
        name = f"{iam_roles.endpoint().removeprefix('http://')}/_alb/{attributes['LoadBalancerName']}"
        alb._lbs[arn]["DNSName"] = name
        return arn, {**attributes, "DNSName": name}

    handler["create"] = create_with_local_url


def _forward_by_weight() -> None:
    listener_actions, execute = provisioners._elbv2_listener_actions, alb._execute_action

    def actions_with_weights(props: Properties, lb_arn: str, prop: str = "DefaultActions") -> list[dict[str, Any]]:
        actions: list[dict[str, Any]] = listener_actions(props, lb_arn, prop)
        for action, declared in zip(actions, props.get(prop) or [], strict=True):
            if config := declared.get("ForwardConfig"):
                action["ForwardConfig"] = config
        return actions

    async def execute_by_weight(action: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if groups := action.get("ForwardConfig", {}).get("TargetGroups"):
            weights = [int(group.get("Weight", 1)) for group in groups]
            (chosen,) = random.choices(groups, weights)
            action = {**action, "TargetGroupArn": chosen["TargetGroupArn"]}
        return await execute(action, *args, **kwargs)

    provisioners._elbv2_listener_actions = actions_with_weights
    alb._execute_action = execute_by_weight


def _register_rules(resource_type: str, field: str) -> None:
    def create(name: str, props: Properties) -> tuple[str, Properties]:
        ec2._security_groups[props["GroupId"]][field] += provisioners._ec2_sg_permissions([props])
        return name, {}

    def delete(_name: str, props: Properties) -> None:
        group = ec2._security_groups.get(props["GroupId"], {field: []})
        for permission in provisioners._ec2_sg_permissions([props]):
            if permission in group[field]:
                group[field].remove(permission)

    register(resource_type, create=create, delete=delete)
