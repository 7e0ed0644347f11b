"""The workers of a deployment: their role, and how many run."""

from dataclasses import dataclass
from typing import Any
from unittest.mock import Mock

import pytest

from local.deployment import Deployment
from operations.compare.measuring.consumer import consumer_role, count_workers
from operations.compare.measuring.workload import wait_until_idle
from operations.errors import OperationError

_SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/cluster/workers"
_GROUP = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1-2:autoScalingGroupName/hosts"


@dataclass
class _StubDeployment(Deployment):
    """A service with a capacity provider, which has an Auto Scaling group or none."""

    ecs: Mock
    autoscaling: Mock

    def client(self, service: str) -> Any:
        return getattr(self, service)

    def stack_name(self, stack: str) -> str:
        return stack


def _deployment(*, desired: int, running: int, pending: int, instances: tuple[int, int] | None) -> _StubDeployment:
    """Return a deployment with these numbers of tasks, and of desired and existing instances if it has a group."""
    ecs, autoscaling = Mock(), Mock()
    ecs.describe_services.return_value = {
        "services": [
            {
                "desiredCount": desired,
                "runningCount": running,
                "pendingCount": pending,
                "taskDefinition": "worker:1",
                "capacityProviderStrategy": [{"capacityProvider": "provider"}],
            }
        ]
    }
    ecs.describe_task_definition.return_value = {"taskDefinition": {"taskRoleArn": "arn:aws:iam::1:role/path/worker"}}
    group = {"autoScalingGroupProvider": {"autoScalingGroupArn": _GROUP}} if instances else {}
    ecs.describe_capacity_providers.return_value = {"capacityProviders": [group]}
    wanted, existing = instances or (0, 0)
    autoscaling.describe_auto_scaling_groups.return_value = {
        "AutoScalingGroups": [{"DesiredCapacity": wanted, "Instances": [{}] * existing}]
    }
    return _StubDeployment(ecs, autoscaling, outputs={"Workers": {"WorkerService": _SERVICE}})


def test_role_of_workers_is_that_of_their_tasks() -> None:
    deployment = _deployment(desired=1, running=1, pending=0, instances=None)
    assert consumer_role("fargate", deployment) == "worker"
    assert deployment.ecs.describe_services.call_args.kwargs == {"cluster": "cluster", "services": [_SERVICE]}


@pytest.mark.parametrize(
    ("desired", "running", "pending", "instances", "count"),
    [
        (0, 0, 0, None, (0, 0)),
        (1, 0, 0, None, (1, 0)),  # not started yet
        (0, 1, 0, None, (1, 0)),  # stopping
        (0, 0, 1, (0, 0), (1, 0)),
        (0, 0, 0, (1, 0), (0, 1)),
        (0, 0, 0, (0, 1), (0, 1)),  # shutting down
    ],
)
def test_workers_and_instances_that_start_or_stop_count(
    desired: int, running: int, pending: int, instances: tuple[int, int] | None, count: tuple[int, int]
) -> None:
    deployment = _deployment(desired=desired, running=running, pending=pending, instances=instances)
    assert count_workers(deployment) == count
    if sum(count):
        with pytest.raises(OperationError, match=r"^ec2: did not scale to zero"):
            wait_until_idle("ec2", deployment, patience=-1)
    else:
        wait_until_idle("ec2", deployment, patience=-1)
