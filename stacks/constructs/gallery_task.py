"""The gallery as an ECS task definition: the same container on Fargate and on EC2.

The task role has no permissions, because the program calls no AWS service.
"""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from stacks.constructs.sandbox_log_group import SandboxLogGroup
from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.shared_resources import GalleryUrls

# The port that the program listens on, inside its container.
PORT = 8080

# MiB. The program used 32 MiB after fifty page views (x86_64).
_MEMORY = 128


def fargate_task(
    scope: Construct, construct_id: str, *, image: ecs.ContainerImage, urls: GalleryUrls
) -> ecs.FargateTaskDefinition:
    """A task with 0.25 vCPU on Graviton and 512 MiB, the smallest size of Fargate."""
    task = ecs.FargateTaskDefinition(
        scope,
        construct_id,
        family=_family(scope, construct_id),
        cpu=256,
        memory_limit_mib=512,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
    )
    _add_container(task, image, urls)
    return task


def ec2_task(
    scope: Construct, construct_id: str, *, image: ecs.ContainerImage, urls: GalleryUrls
) -> ecs.Ec2TaskDefinition:
    """A task with at most 128 MiB of its instance, and an address of its own."""
    task = ecs.Ec2TaskDefinition(
        scope, construct_id, family=_family(scope, construct_id), network_mode=ecs.NetworkMode.AWS_VPC
    )
    _add_container(task, image, urls, memory_limit_mib=_MEMORY)
    return task


def _family(scope: Construct, construct_id: str) -> str:
    """A family name that is unique to the deployment. The default of the CDK does not contain the stack name."""
    return f"{Stack.of(scope).stack_name}-{construct_id}"


def _add_container(task: ecs.TaskDefinition, image: ecs.ContainerImage, urls: GalleryUrls, **limits: Any) -> None:
    log_group = SandboxLogGroup(task, "Log")
    task.add_container(
        "gallery",
        image=image,
        environment=urls.environment_variables(),
        logging=ecs.LogDrivers.aws_logs(stream_prefix="gallery", log_group=log_group),
        port_mappings=[ecs.PortMapping(container_port=PORT)],
        readonly_root_filesystem=True,
        **limits,
    )
    acknowledge(task, ECS2="The URLs of the API and the buckets are not secret: the gallery page contains them")
    acknowledge_wildcard(task, "*", "ecr:GetAuthorizationToken has no resource type")
