"""Amazon ECS with both launch modes of the notes, EC2 and Fargate, from one image.

The gallery runs as two services: on Fargate, where "AWS just runs containers for you based on the CPU / RAM you need",
and on EC2 instances, which a capacity provider adds and removes with the tasks. One load balancer distributes requests
over the tasks of both services, and the gallery page shows which service handled the request.

    visitor → load balancer → target group ┬→ Fargate service
                                           └→ EC2 service, on instances

Both services register their tasks in one target group. While one of them has no task, for example because AWS
interrupted a Spot task, the other one serves every request. With a target group for each service, the load balancer
would send half of all requests, and so a part of almost every page, to the empty group: weighted target groups have no
failover.

A target group contains IP addresses or instances, not both, so tasks on EC2 have an address of their own, too (network
mode awsvpc). That address is not public, so without a NAT gateway, the program cannot reach the internet, which it
does not need: the instance pulls the image and writes the log.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from constructs import Construct

from stacks.constructs.ecs_instances import EcsInstances
from stacks.constructs.gallery_load_balancer import GalleryLoadBalancer
from stacks.constructs.gallery_task import ec2_task, fargate_task
from stacks.constructs.monitoring import FailureEvent, Monitoring, event_fields, load_balancer_graphs, service_graph
from stacks.support.cdk_nag import acknowledge
from stacks.support.shared_resources import GalleryUrls


class EcsStack(Stack):
    """The cluster, its EC2 instances, the two services, and their load balancer.

    Args:
        vpc: A VPC with public subnets.
        image: The gallery's image.
        allowed_cidr: Source addresses that can visit the gallery. If None, no one can.
        urls: The API and the buckets, for the gallery page.
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
        urls: GalleryUrls,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        # In the same stack as its capacity provider, because they refer to each other.
        cluster = ecs.Cluster(self, "Cluster", vpc=vpc, enable_fargate_capacity_providers=True)
        acknowledge(cluster, ECS4="Container Insights costs more per month than the tasks that it would monitor")
        instances = EcsInstances(self, "Hosts", cluster=cluster)
        load_balancer = GalleryLoadBalancer(
            self, "LoadBalancer", name=f"{name}-gallery", vpc=vpc, allowed_cidr=allowed_cidr
        )

        fargate = ecs.FargateService(
            self,
            "Fargate",
            cluster=cluster,
            task_definition=fargate_task(self, "FargateTask", image=image, urls=urls),
            # A Spot task costs a third of the regular price, and AWS can interrupt it. The EC2 service then serves all
            # requests until a replacement starts.
            capacity_provider_strategies=[ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)],
            assign_public_ip=True,  # in a public subnet, the only route to the registry
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            **_deployment_options(),
        )
        ec2_service = ecs.Ec2Service(
            self,
            "Ec2",
            cluster=cluster,
            task_definition=ec2_task(self, "Ec2Task", image=image, urls=urls),
            capacity_provider_strategies=[instances.strategy],
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            **_deployment_options(),
        )
        for service in (fargate, ec2_service):
            # Includes the capacity provider associations: a service needs them, and `cdk destroy` cannot delete them
            # while a service uses them.
            service.node.add_dependency(cluster)
        load_balancer.share_between(fargate, ec2_service)
        self.monitoring = Monitoring(
            "Gallery",
            [
                *load_balancer_graphs(load_balancer),
                service_graph("Fargate (%)", fargate),
                service_graph("EC2 (%)", ec2_service),
            ],
            failure_events=[_service_failed(fargate, ec2_service)],
        )

        CfnOutput(self, "GalleryUrl", value=f"http://{load_balancer.load_balancer_dns_name}/")


def _deployment_options() -> dict[str, Any]:
    """A new version runs before the old one stops. If it fails to start, ECS rolls back."""
    return {
        "min_healthy_percent": 100,
        "max_healthy_percent": 200,
        "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        "health_check_grace_period": Duration.seconds(60),
    }


def _service_failed(*services: ecs.BaseService) -> FailureEvent:
    event, reason = event_fields("eventName", "reason")
    # A deployment is rolled back, tasks fit on no instance, or tasks stop repeatedly ("Amazon ECS service action
    # events" and "Amazon ECS service deployment state change events" in the ECS guide).
    names = ["SERVICE_DEPLOYMENT_FAILED", "SERVICE_TASK_PLACEMENT_FAILURE", "SERVICE_TASK_START_IMPAIRED"]
    return FailureEvent(
        "GalleryInTrouble",
        "A gallery service failed to deploy, place, or start tasks",
        events.EventPattern(
            source=["aws.ecs"],
            detail_type=["ECS Deployment State Change", "ECS Service Action"],
            resources=[service.service_arn for service in services],
            detail={"eventName": names},
        ),
        f"Gallery: {event}. {reason} See the service events in the ECS console and the task logs. Deploy the previous "
        "version again, or add capacity for its tasks.",
    )
