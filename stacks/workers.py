"""Amazon ECS for the work of a queue, on Fargate or on EC2: the thumbnails of the setting `thumbnails_on=fargate|ec2`.

The same code as on Lambda (`stacks/thumbnails.py`), in a container. The notes contrast EC2 and Lambda: "continuously
running" or "run on-demand", "intervention to add / remove servers" or "scaling is automated". This stack configures
what Lambda does by itself:

- Polling: the worker polls the queue, and extends the visibility timeout of its messages while it works on them.
- Scaling: a metric of the queue sets the number of tasks, from zero and back to zero. A task starts minutes after the
  first photo, a function within a second.
- Interruptions: ECS stops a task with SIGTERM. The worker finishes its photo or returns it to the queue.

    upload queue → worker, 0 to 4 tasks on Fargate or 0 to 2 on EC2 → thumbnails bucket + catalogue table
         └→ alarms → number of tasks

On Fargate, there is "no need to manage EC2 instances". On EC2, a capacity provider adds and removes instances with the
tasks (`stacks/ecs.py`): an instance takes minutes to start, and remains for 15 minutes after its last task.
"""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.backlog_scaling import BacklogScaling
from stacks.constructs.monitoring import Graph, Monitoring, service_failure, service_graph, task_graph
from stacks.constructs.sandbox_log_group import SandboxLogGroup
from stacks.constructs.thumbnailer import REJECTED, allow_thumbnails, consumer_environment, rejection_metric
from stacks.constructs.worker_task import ec2_task, fargate_task
from stacks.support.policies import allow
from stacks.support.shared_resources import PhotoStorage

# A new account can run six vCPUs on Fargate Spot. The gallery uses less than one, and twice as much in a rollout.
_MAX_FARGATE_TASKS = 4
# One on each instance (`stacks/ecs.py`).
_MAX_EC2_TASKS = 2


class WorkersStack(Stack):
    """One service that consumes the upload queue.

    Args:
        cluster: A cluster with the capacity providers of Fargate.
        instances: Places the tasks on EC2 instances. If None, they run on Fargate Spot.
        image: The thumbnailer's image.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ecs.ICluster,
        instances: ecs.CapacityProviderStrategy | None,
        image: ecs.ContainerImage,
        storage: PhotoStorage,
        upload_queue: sqs.IQueue,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        role = iam.Role(self, "WorkerRole", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        allow_thumbnails(role, storage)
        polling = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
        allow(role, polling, upload_queue.queue_arn)
        log_group = SandboxLogGroup(self, "Log")
        worker: dict[str, Any] = {
            "role": role,
            "image": image,
            "environment": consumer_environment(storage, upload_queue),
            "log_group": log_group,
        }

        service: ecs.BaseService
        if instances:
            service = ecs.Ec2Service(
                self,
                "Ec2",
                cluster=cluster,
                task_definition=ec2_task(self, "Ec2Task", **worker),
                capacity_provider_strategies=[instances],
                **self._options("Ec2"),
            )
        else:
            service = ecs.FargateService(
                self,
                "Fargate",
                cluster=cluster,
                task_definition=fargate_task(self, "FargateTask", **worker),
                # A Spot task costs a third of the regular price. If AWS interrupts it, or has no capacity, the photos
                # wait in the queue.
                capacity_provider_strategies=[ecs.CapacityProviderStrategy(capacity_provider="FARGATE_SPOT", weight=1)],
                assign_public_ip=True,  # in a public subnet, the only route to the registry and the queue
                vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
                **self._options("Fargate"),
            )
        # Includes the policy of the execution role: without it, the first task could not pull its image.
        service.node.add_dependency(service.task_definition)
        scaling = BacklogScaling(
            self,
            "Scaling",
            service=service,
            queue=upload_queue,
            max_tasks=_MAX_EC2_TASKS if instances else _MAX_FARGATE_TASKS,
        )
        rejections = rejection_metric(self, log_group, logs.FilterPattern.literal(f'"{REJECTED}"'))
        self.monitoring = Monitoring(
            "Workers",
            [
                task_graph("Tasks", service),
                Graph("Work (messages)", [scaling.work]),
                service_graph("CPU and memory (%)", service),
                Graph("Rejected photos", [rejections]),
            ],
            failure_events=[service_failure("WorkersInTrouble", "Worker", service)],
        )

        CfnOutput(self, "WorkerService", value=service.service_arn)

    def _options(self, name: str) -> dict[str, Any]:
        return {
            # A fixed name, because this stack can be deleted and deployed again without the stacks that use the name.
            "service_name": f"{self.stack_name}-{name}",
            # Old tasks stop before new ones start, so that a deployment needs no more capacity than the quotas allow.
            # The photos wait in the queue meanwhile. ECS rejects rebalancing with a maximum of 100 %.
            "min_healthy_percent": 0,
            "max_healthy_percent": 100,
            "availability_zone_rebalancing": ecs.AvailabilityZoneRebalancing.DISABLED,
            # The first deployment starts one task, which shows that the image runs. Without a desired count in the
            # template, an update keeps the number of tasks.
            "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        }
