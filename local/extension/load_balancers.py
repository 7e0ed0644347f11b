"""Application Load Balancers: a local URL, and the rules of security groups.

Emulated: target groups, which several services can share, and the DNS name, which is a path of the emulator's URL. Not
emulated: security groups, which allow all traffic on loopback, and health checks.
"""

from typing import Any

from ministack.services import alb, ec2
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension import iam_roles
from local.extension.cloudformation import Properties, register


def extend() -> None:
    """Extend load balancers, and register the rules of security groups."""
    _use_local_url()
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
