"""What ECS does in the name of the execution roles of tasks. The gallery's own roles may do nothing."""

from typing import Any

from tests.permissions.trial import Failed, Trial, probe


@probe()
def on_fargate(trial: Trial) -> None:
    """A task of the gallery starts on Fargate."""
    subnets = [subnet.name for subnet in trial.bench.names.of_kind("AWS::EC2::Subnet")]
    network = {"awsvpcConfiguration": {"subnets": subnets, "assignPublicIp": "ENABLED"}}
    _start(trial, "Ecs/FargateTask", launchType="FARGATE", networkConfiguration=network)


@probe()
def on_ec2(trial: Trial) -> None:
    """A task of the gallery starts on EC2."""
    _start(trial, "Ecs/Ec2Task", launchType="EC2")


def _start(trial: Trial, definition: str, **how: Any) -> None:
    client, cluster = trial.bench.sandbox.client("ecs"), trial.bench.names.of("Ecs/Cluster")
    (task,) = client.run_task(cluster=cluster, taskDefinition=trial.bench.names.of(definition), **how)["tasks"]
    trial.afterwards.callback(client.stop_task, cluster=cluster, task=task["taskArn"])

    def started() -> bool:
        (found,) = client.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"]
        if found["lastStatus"] == "STOPPED":
            raise Failed(found["stoppedReason"])
        return bool(found["lastStatus"] == "RUNNING")

    trial.until("the task runs", started)
