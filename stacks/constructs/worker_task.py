"""The thumbnail worker as an ECS task definition: the same container on Fargate and on EC2."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard

# One photo at a time is decoded, which uses one CPU and most of the memory, while others are fetched and stored. Their
# bound is about 1,570 MiB (THREADS in lambda_src/thumbnail/messages.py).
_CPU = 1024  # units of 1/1024 vCPU
_FARGATE_MEMORY = 2048  # MiB, the smallest size of Fargate with one vCPU
_EC2_MEMORY = 1664  # MiB, what an instance with 2 GiB has left

# The maximum of Fargate. A worker uses it to finish its photo. A Spot interruption leaves as much time.
_STOP_TIMEOUT = Duration.seconds(120)


def fargate_task(
    scope: Construct, construct_id: str, *, role: iam.IRole, **container: Any
) -> ecs.FargateTaskDefinition:
    """A task with one vCPU on Graviton.

    Args:
        role: The permissions of the program.
        container: Its image, its environment variables, and its log group.
    """
    task = ecs.FargateTaskDefinition(
        scope,
        construct_id,
        family=f"{Stack.of(scope).stack_name}-{construct_id}",
        cpu=_CPU,
        memory_limit_mib=_FARGATE_MEMORY,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
        ),
        task_role=role,
    )
    _add_container(task, **container)
    return task


def ec2_task(scope: Construct, construct_id: str, *, role: iam.IRole, **container: Any) -> ecs.Ec2TaskDefinition:
    """A task that fills an instance with one vCPU and 2 GiB.

    In bridge mode, it reaches AWS through its instance, which has a public address. A task with a network interface of
    its own has none, so it would need a NAT gateway. The hop limit of the launch template keeps the credentials of the
    instance from containers in bridge mode.

    Args:
        role: The permissions of the program.
        container: Its image, its environment variables, and its log group.
    """
    task = ecs.Ec2TaskDefinition(
        scope,
        construct_id,
        family=f"{Stack.of(scope).stack_name}-{construct_id}",
        network_mode=ecs.NetworkMode.BRIDGE,
        task_role=role,
    )
    _add_container(task, **container, cpu=_CPU, memory_limit_mib=_EC2_MEMORY)
    return task


def _add_container(
    task: ecs.TaskDefinition,
    *,
    image: ecs.ContainerImage,
    environment: dict[str, str],
    log_group: logs.ILogGroup,
    **limits: Any,
) -> None:
    task.add_container(
        "worker",
        image=image,
        environment={**environment, "AWS_DEFAULT_REGION": Stack.of(task).region},
        logging=ecs.LogDrivers.aws_logs(stream_prefix="worker", log_group=log_group),
        readonly_root_filesystem=True,
        stop_timeout=_STOP_TIMEOUT,
        **limits,
    )
    acknowledge(task, ECS2="The names of the buckets, the table, and the queue are not secret")
    acknowledge_wildcard(task, "*", "ecr:GetAuthorizationToken has no resource type")
