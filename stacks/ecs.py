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
from constructs import Construct

from stacks.constructs.ecs_instances import EcsInstances
from stacks.constructs.gallery_load_balancer import GalleryLoadBalancer
from stacks.constructs.gallery_task import ec2_task, fargate_task
from stacks.constructs.monitoring import Monitoring, load_balancer_graphs, service_failure, service_graph
from stacks.support.cdk_nag import acknowledge
from stacks.support.shared_resources import GalleryUrls

# The smallest type with three network interfaces ("Maximum IP addresses per network interface" in the EC2 guide): one
# for the instance, and one each for the old and the new task of a rollout.
_GALLERY_INSTANCE = ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.SMALL)

# One vCPU without a limit of CPU credits, and 2 GiB. A new account can run five On-Demand vCPUs. The gallery uses two,
# or four in a rollout.
_WORKER_INSTANCE = ec2.InstanceType.of(ec2.InstanceClass.C7G, ec2.InstanceSize.MEDIUM)


class EcsStack(Stack):
    """The cluster, its EC2 instances, the two services, and their load balancer.

    Args:
        vpc: A VPC with public subnets.
        image: The gallery's image.
        allowed_cidr: Source addresses that can visit the gallery. If None, no one can.
        urls: The API and the buckets, for the gallery page.
        worker_instances: Whether the cluster gets EC2 instances for `stacks/workers.py`.

    Attributes:
        cluster: Also for the services of other stacks.
        worker_strategy: Places tasks on the instances for workers. None without such instances.
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
        worker_instances: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        # In the same stack as its capacity providers, because they refer to each other.
        self.cluster = cluster = ecs.Cluster(self, "Cluster", vpc=vpc, enable_fargate_capacity_providers=True)
        acknowledge(cluster, ECS4="Container Insights costs more per month than the tasks that it would monitor")
        instances = EcsInstances(
            self, "Hosts", cluster=cluster, instance_type=_GALLERY_INSTANCE, min_capacity=1, max_capacity=2
        )
        self.worker_strategy = self._worker_instances().strategy if worker_instances else None
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
            failure_events=[service_failure("GalleryInTrouble", "Gallery", fargate, ec2_service)],
        )

        CfnOutput(self, "GalleryUrl", value=f"http://{load_balancer.load_balancer_dns_name}/")

    def _worker_instances(self) -> EcsInstances:
        """Instances that exist only while a worker needs them. Each runs one worker."""
        return EcsInstances(
            self,
            "WorkerHosts",
            cluster=self.cluster,
            instance_type=_WORKER_INSTANCE,
            min_capacity=0,
            max_capacity=2,
        )


def _deployment_options() -> dict[str, Any]:
    """A new version runs before the old one stops. If it fails to start, ECS rolls back."""
    return {
        "min_healthy_percent": 100,
        "max_healthy_percent": 200,
        "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        "health_check_grace_period": Duration.seconds(60),
    }
