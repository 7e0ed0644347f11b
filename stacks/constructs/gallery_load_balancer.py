"""The load balancer that distributes requests for the gallery over the tasks of several ECS services."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from stacks.constructs.gallery_task import PORT
from stacks.support.cdk_nag import acknowledge

# Target of the scaling policy: requests per minute for each task.
_REQUESTS_PER_TASK = 1000
_MAX_TASKS = 3


class GalleryLoadBalancer(elbv2.ApplicationLoadBalancer):
    """An internet-facing load balancer for HTTP from `allowed_cidr`. If None, it accepts no traffic."""

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, vpc: ec2.IVpc, allowed_cidr: str | None
    ) -> None:
        security_group = ec2.SecurityGroup(
            scope,
            "Visitors",
            vpc=vpc,
            allow_all_outbound=False,  # each target adds a rule for itself
            # Does not contain the CIDR block: CloudFormation replaces a security group when its description changes.
            description="Gallery load balancer: HTTP from allowed_cidr",
        )
        if allowed_cidr:
            security_group.add_ingress_rule(ec2.Peer.ipv4(allowed_cidr), ec2.Port.tcp(80), "The allowed_cidr setting")
        super().__init__(
            scope,
            construct_id,
            load_balancer_name=name,
            vpc=vpc,
            internet_facing=True,
            security_group=security_group,
            drop_invalid_header_fields=True,
        )
        acknowledge(self, ELB2="An access log would refill its bucket while `cdk destroy` empties it")

    def share_between(self, *services: ecs.BaseService) -> None:
        """Send an equal share of the requests to each task of the services, and scale each service by its requests.

        The ECS guide recommends a target group for each service, because a port of an instance can pass from a task of
        one service to a task of the other. Here, each target is the address of a task, and ECS deregisters only the
        tasks of the service that it deploys.
        """
        tasks = self._target_group(*services)
        # Plain HTTP: a certificate needs a domain name, which a sandbox does not have.
        self.add_listener(
            "Http",
            port=80,
            open=False,  # the security group controls access
            default_target_groups=[tasks],
        )
        for service in services:
            service.auto_scale_task_count(min_capacity=1, max_capacity=_MAX_TASKS).scale_on_request_count(
                "Requests", requests_per_target=_REQUESTS_PER_TASK, target_group=tasks
            )

    def _target_group(self, *services: ecs.BaseService) -> elbv2.ApplicationTargetGroup:
        scope = self.node.scope
        assert isinstance(scope, Construct)
        return elbv2.ApplicationTargetGroup(
            scope,
            "Tasks",
            vpc=self.vpc,
            port=PORT,
            protocol=elbv2.ApplicationProtocol.HTTP,
            target_type=elbv2.TargetType.IP,
            targets=list(services),
            health_check=elbv2.HealthCheck(
                path="/health",
                port="traffic-port",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(3),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
            deregistration_delay=Duration.seconds(15),  # longer than any response takes
        )
