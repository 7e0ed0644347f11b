"""Amazon ECS, "fully managed container orchestration", in both of the notes' launch modes, from one image.

The gallery runs twice: on Fargate, where "AWS just runs containers for you based on the CPU / RAM you need", and on
EC2, on hosts of ours that a capacity provider adds and takes away as tasks need room. One load balancer shares the
visitors between the two; the page says which of them served it.

    visitor → load balancer ┬→ Fargate service: each task with its own address (network mode awsvpc)
                            └→ EC2 service: tasks share the host's address, each on a port of its own (bridge)

Bridge, because a task with its own address on EC2 has no public one, and without a NAT gateway no way out.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from constructs import Construct

from stacks.constructs.ecs_instances import EcsInstances
from stacks.constructs.gallery_task import PORT, ec2_task, fargate_task
from stacks.constructs.monitoring import FailureEvent, Monitoring, load_balancer_graphs, service_graph
from stacks.support.cdk_nag import acknowledge

# Requests a minute that one task answers before another one comes to help, and how many there may be.
_REQUESTS_PER_TASK = 1000
_MAX_TASKS = 3


class EcsStack(Stack):
    """The cluster, its EC2 capacity, the two services and their load balancer.

    vpc: with public subnets
    image: of the gallery
    allowed_cidr: who may visit; None: nobody
    api_url: of the REST API, for the page; None: there is none

    monitoring: for the dashboard
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        vpc: ec2.IVpc,
        image: ecs.ContainerImage,
        allowed_cidr: str | None,
        api_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        # In one stack with its capacity provider: each names the other, so across stacks neither could go first.
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc, enable_fargate_capacity_providers=True)
        acknowledge(self.cluster, ECS4="Container Insights costs more per month than what it would watch here")
        hosts = EcsInstances(self, "Hosts", cluster=self.cluster)
        self.load_balancer = self._load_balancer(name, vpc, allowed_cidr)

        self.fargate_service = ecs.FargateService(
            self,
            "Fargate",
            cluster=self.cluster,
            task_definition=fargate_task(self, "FargateTask", image=image, api_url=api_url),
            # On Spot a task costs a third of the usual price, and AWS may take it back. ECS then starts another one;
            # until it is healthy its share of the visitors gets an error. Where that will not do:
            # `capacity_provider="FARGATE"`.
            capacity_provider_strategies=[ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)],
            assign_public_ip=True,  # the only way to its image, in a public subnet
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            **_rollout(),
        )
        self.ec2_service = ecs.Ec2Service(
            self,
            "Ec2",
            cluster=self.cluster,
            task_definition=ec2_task(self, "Ec2Task", image=image, api_url=api_url),
            capacity_provider_strategies=[hosts.strategy],
            **_rollout(),
        )
        for service in (self.fargate_service, self.ec2_service):
            # The cluster with its list of capacity providers: no service before it is there, and on `cdk destroy` it
            # cannot be taken away while a service is.
            service.node.add_dependency(self.cluster)
        hosts.allow_from(self.load_balancer)
        self._share_visitors(vpc)
        self.monitoring = Monitoring(
            "Gallery",
            [
                *load_balancer_graphs(self.load_balancer),
                service_graph("On Fargate (%)", self.fargate_service),
                service_graph("On EC2 (%)", self.ec2_service),
            ],
            failure_events=[self._in_trouble()],
        )

        CfnOutput(self, "GalleryUrl", value=f"http://{self.load_balancer.load_balancer_dns_name}/")

    def _in_trouble(self) -> FailureEvent:
        what, why = (events.EventField.from_path(f"$.detail.{field}") for field in ("eventName", "reason"))
        # A deployment that is taken back, tasks for which there is no room, tasks that do not stay up (ECS guide,
        # "Amazon ECS service action events", "Amazon ECS service deployment state change events").
        return FailureEvent(
            "GalleryInTrouble",
            "The gallery does not run as it should, for some of its visitors or for all",
            events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Deployment State Change", "ECS Service Action"],
                resources=[service.service_arn for service in (self.fargate_service, self.ec2_service)],
                detail={
                    "eventName": [
                        "SERVICE_DEPLOYMENT_FAILED",
                        "SERVICE_TASK_PLACEMENT_FAILURE",
                        "SERVICE_TASK_START_IMPAIRED",
                    ]
                },
            ),
            f"The gallery: {what}. {why} The events of its services in the ECS console, and the logs of its tasks, "
            "say more. Deploy the version before again, or make room for its tasks.",
        )

    def _load_balancer(self, name: str, vpc: ec2.IVpc, allowed_cidr: str | None) -> elbv2.ApplicationLoadBalancer:
        visitors = ec2.SecurityGroup(
            self,
            "Visitors",
            vpc=vpc,
            allow_all_outbound=False,  # only to the services: added where they become its targets
            description="Visitors of the gallery: the setting allowed_cidr, or nobody",  # another text is another group
        )
        if allowed_cidr:
            visitors.add_ingress_rule(ec2.Peer.ipv4(allowed_cidr), ec2.Port.tcp(80), "The setting allowed_cidr")
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            load_balancer_name=f"{name}-gallery",
            vpc=vpc,
            internet_facing=True,
            security_group=visitors,
            drop_invalid_header_fields=True,
        )
        acknowledge(load_balancer, ELB2="An access log would refill its bucket while `cdk destroy` empties it")
        return load_balancer

    def _share_visitors(self, vpc: ec2.IVpc) -> None:
        shares = {
            service: self._target_group(construct_id, vpc, service)
            for construct_id, service in (("ToFargate", self.fargate_service), ("ToEc2", self.ec2_service))
        }
        # Plain HTTP: a certificate needs a domain name, which a sandbox has not got.
        self.load_balancer.add_listener(
            "Http",
            port=80,
            open=False,  # the security group says who
            default_action=elbv2.ListenerAction.weighted_forward(
                [elbv2.WeightedTargetGroup(target_group=target_group, weight=1) for target_group in shares.values()]
            ),
        )
        for service, target_group in shares.items():
            service.auto_scale_task_count(min_capacity=1, max_capacity=_MAX_TASKS).scale_on_request_count(
                "Requests", requests_per_target=_REQUESTS_PER_TASK, target_group=target_group
            )

    def _target_group(self, construct_id: str, vpc: ec2.IVpc, service: ecs.BaseService) -> elbv2.ApplicationTargetGroup:
        return elbv2.ApplicationTargetGroup(
            self,
            construct_id,
            vpc=vpc,
            port=PORT,
            protocol=elbv2.ApplicationProtocol.HTTP,
            targets=[service],
            health_check=elbv2.HealthCheck(
                path="/health",
                port="traffic-port",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(3),
                healthy_threshold_count=2,
            ),
            deregistration_delay=Duration.seconds(15),  # no answer takes longer
        )


def _rollout() -> dict[str, Any]:
    """How a new version replaces the old one: beside it; and the old one comes back if the new one fails to start."""
    return {
        "min_healthy_percent": 100,
        "max_healthy_percent": 200,
        "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        "health_check_grace_period": Duration.seconds(60),
    }
