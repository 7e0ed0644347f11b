"""Probes of the execution roles with which ECS starts the gallery. The task roles have no permissions."""

from typing import Any

from tests.permissions.probe import ProbeFailed, Trial, probe


@probe
def starts_task_on_fargate(trial: Trial) -> None:
    """Start a gallery task on Fargate."""
    subnets = [subnet.physical_id for subnet in trial.context.resources.of_type("AWS::EC2::Subnet")]
    network = {"awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"}}
    _start(trial, "Ecs/FargateTask", launchType="FARGATE", networkConfiguration=network)


@probe
def starts_task_on_ec2(trial: Trial) -> None:
    """Start a gallery task on EC2."""
    _start(trial, "Ecs/Ec2Task", launchType="EC2")


def _start(trial: Trial, definition: str, **options: Any) -> None:
    ecs, resources = trial.context.sandbox.client("ecs"), trial.context.resources
    cluster, definition = resources.physical_id("Ecs/Cluster"), resources.physical_id(definition)
    (task,) = ecs.run_task(cluster=cluster, taskDefinition=definition, **options)["tasks"]
    trial.cleanup.callback(ecs.stop_task, cluster=cluster, task=task["taskArn"])

    def is_running() -> bool:
        (found,) = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"]
        if found["lastStatus"] == "STOPPED":
            raise ProbeFailed(found["stoppedReason"])
        return bool(found["lastStatus"] == "RUNNING")

    trial.wait_until("task is RUNNING", is_running)
