"""Application Load Balancers: a local URL, a metric, and the rules of security groups.

The emulator has DNS names that nothing resolves, records no metrics, and lacks the types of the rules. Emulated: target
groups, which several services can share; the DNS name, which is a path of the emulator's URL; the metric
RequestCountPerTarget. Not emulated: security groups, which allow all traffic on loopback, health checks, and other
metrics.
"""

from typing import Any

from ministack.services import alb, cloudwatch, ec2
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension import iam_roles
from local.extension.cloudformation import Properties, register


def extend() -> None:
    """Extend load balancers, and register the rules of security groups."""
    _use_local_url()
    _record_requests()
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


def _record_requests() -> None:
    """Record each request as its share of a target, so that the sum of a minute is the average of all targets.

    See https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    """
    forward = alb._forward_to_tg

    async def forward_and_record(arn: str, *request: Any, **options: Any) -> Any:
        if targets := alb._targets.get(arn):
            dimensions = {"TargetGroup": arn.rpartition(":")[2]}
            cloudwatch.record_metric(
                "AWS/ApplicationELB", "RequestCountPerTarget", 1 / len(targets), "Count", dimensions
            )
        return await forward(arn, *request, **options)

    alb._forward_to_tg = forward_and_record


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
