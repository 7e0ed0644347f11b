"""Probes of the execution roles with which ECS starts the gallery, whose task roles have no permissions."""

from typing import Any

from tests.permissions.probe import ProbeFailed, Trial, probe


@probe
def starts_task_on_fargate(trial: Trial) -> None:
    """Start a gallery task on Fargate."""
    start_task(trial, "Ecs/FargateTask")


@probe
def starts_task_on_ec2(trial: Trial) -> None:
    """Start a gallery task on EC2."""
    start_task(trial, "Ecs/Ec2Task")


def start_task(trial: Trial, definition: str) -> None:
    """Start a task with the definition at this construct path, and wait until it runs."""
    ecs, resources = trial.context.sandbox.client("ecs"), trial.context.resources
    options: dict[str, Any] = {"launchType": "EC2"}
    if "Fargate" in definition:
        subnets = [subnet.physical_id for subnet in resources.of_type("AWS::EC2::Subnet")]
        network = {"awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"}}
        options = {"launchType": "FARGATE", "networkConfiguration": network}
    cluster, definition = resources.physical_id("Ecs/Cluster"), resources.physical_id(definition)
    (task,) = ecs.run_task(cluster=cluster, taskDefinition=definition, **options)["tasks"]
    trial.cleanup.callback(ecs.stop_task, cluster=cluster, task=task["taskArn"])

    def is_running() -> bool:
        (found,) = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"]
        if found["lastStatus"] == "STOPPED":
            raise ProbeFailed(found["stoppedReason"])
        return bool(found["lastStatus"] == "RUNNING")

    trial.wait_until("task is RUNNING", is_running)
