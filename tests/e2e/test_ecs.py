"""The gallery on ECS: one load balancer, two launch types, and tasks that are replaced."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.deployment import Deployment
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.gallery_requests import get_gallery
from tests.e2e.programs import describe_task_definition, register_revision

STATIC = Path(__file__).parents[2] / "containers" / "gallery" / "static"


def _serving_tasks(deployment: Deployment) -> dict[str, str]:
    """Return the task that serves each launch type, as seen in 40 requests."""
    answers = [json.loads(get_gallery(deployment, "whoami")) for _ in range(40)]
    return {answer["launch_type"]: answer["task"] for answer in answers}


@pytest.fixture
def ecs(deployment: Deployment) -> Any:
    return deployment.client("ecs")


@pytest.fixture
def cluster(deployment: Deployment, ecs: Any) -> str:
    arns = ecs.list_clusters()["clusterArns"]
    (arn,) = [arn for arn in arns if f"/{deployment.stack_name('Ecs')}-" in arn]
    return str(arn)


def test_load_balancer_reaches_fargate_and_ec2_tasks(deployment: Deployment) -> None:
    assert set(_serving_tasks(deployment)) == {"FARGATE", "EC2"}


def test_requests_are_counted_as_the_share_of_each_target(sandbox: Sandbox) -> None:
    groups = sandbox.client("elbv2").describe_target_groups()["TargetGroups"]
    (group,) = [it["TargetGroupArn"].rpartition(":")[2] for it in groups]
    started = datetime.now(UTC)

    def counted() -> float:
        points = sandbox.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName="RequestCountPerTarget",
            Dimensions=[{"Name": "TargetGroup", "Value": group}],
            StartTime=started - timedelta(hours=1),
            EndTime=started + timedelta(hours=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    before = counted()
    _serving_tasks(sandbox)  # 40 requests
    assert counted() - before == pytest.approx(20, abs=1)


def test_container_output_is_logged(deployment: Deployment) -> None:
    get_gallery(deployment, "health")
    eventually(lambda: any("GET /health" in line for line in deployment.log_lines("Ecs")))


# The requests of a page.
_PAGE = ["", "config.json", "whoami", *(file.name for file in STATIC.glob("*.*") if file.name != "index.html")]


@pytest.mark.parametrize("provider", ["FARGATE_SPOT", "Hosts"])
def test_page_loads_while_one_service_has_no_task(sandbox: Sandbox, ecs: Any, cluster: str, provider: str) -> None:
    services = ecs.describe_services(cluster=cluster, services=ecs.list_services(cluster=cluster)["serviceArns"])
    (name,) = [
        it["serviceName"]
        for it in services["services"]
        if provider in it["capacityProviderStrategy"][0]["capacityProvider"]
    ]
    both = {"FARGATE", "EC2"}
    try:
        ecs.update_service(cluster=cluster, service=name, desiredCount=0)
        (other,) = eventually(lambda: both - (both - _serving_tasks(sandbox).keys() or both))
        assert other == ("EC2" if provider == "FARGATE_SPOT" else "FARGATE")
        assert len(_PAGE) >= 15
        for path in _PAGE:
            assert get_gallery(sandbox, path)
    finally:
        ecs.update_service(cluster=cluster, service=name, desiredCount=1)
        eventually(lambda: _serving_tasks(sandbox).keys() == both)


@pytest.mark.parametrize("launch_type", ["FARGATE", "EC2"])
def test_stopped_task_is_replaced(deployment: Deployment, ecs: Any, cluster: str, launch_type: str) -> None:
    before = _serving_tasks(deployment)[launch_type]
    ecs.stop_task(cluster=cluster, task=before)

    def running() -> set[str]:
        tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"]
        return {
            task["taskArn"].rpartition("/")[2]
            for task in tasks
            if task["lastStatus"] == "RUNNING" and task["launchType"] == launch_type
        }

    replacements = eventually(running)
    assert before not in replacements

    assert eventually(lambda: _serving_tasks(deployment).get(launch_type)) in replacements


def test_failed_service_deployment_is_rolled_back_and_reported(
    sandbox: Sandbox, ecs: Any, cluster: str, inbox: str
) -> None:
    services = ecs.list_services(cluster=cluster)["serviceArns"]
    (service,) = [
        found
        for found in ecs.describe_services(cluster=cluster, services=services)["services"]
        if found["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    ]
    name, good = service["serviceName"], service["taskDefinition"]
    command = ["python", "-c", "raise SystemExit('I am broken')"]
    broken = register_revision(sandbox, describe_task_definition(sandbox, good), "broken", command=command)

    def described() -> Any:
        (found,) = ecs.describe_services(cluster=cluster, services=[name])["services"]
        return found

    try:
        ecs.update_service(cluster=cluster, service=name, taskDefinition=broken)
        eventually(lambda: any("rolled back" in event["message"] for event in described()["events"]))
        assert described()["taskDefinition"] == good
        assert set(_serving_tasks(sandbox)) == {"FARGATE", "EC2"}
        eventually(lambda: any("I am broken" in line for line in sandbox.log_lines("Ecs")))
        message = sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=20)["Messages"][0]["Body"]
        assert "SERVICE_DEPLOYMENT_FAILED" in message and "circuit breaker was triggered" in message
    finally:
        ecs.deregister_task_definition(taskDefinition=broken)
