"""The gallery on ECS: one address, two launch types, tasks that come back."""

import json
import urllib.request
from typing import Any

import pytest

from local.deployment import Deployment
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually


def get(deployment: Deployment, path: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{deployment.outputs['Ecs']['GalleryUrl']}{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body


def who(deployment: Deployment) -> dict[str, str]:
    """The task that serves each launch type, as the page sees it in 40 visits."""
    answers = [json.loads(get(deployment, "whoami")) for _ in range(40)]
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
    assert set(who(deployment)) == {"FARGATE", "EC2"}


def test_gallery_page_shows_its_launch_type(deployment: Deployment) -> None:
    assert b'<script type="module" src="gallery.js">' in get(deployment, "")
    assert b'fetch("whoami")' in get(deployment, "served_by.js")
    assert set(json.loads(get(deployment, "config.json"))) == {"api_url"}


def test_container_output_is_logged(deployment: Deployment) -> None:
    get(deployment, "health")
    eventually(lambda: any("GET /health" in line for line in deployment.log_lines("Ecs")))


@pytest.mark.parametrize("launch_type", ["FARGATE", "EC2"])
def test_stopped_task_is_replaced(deployment: Deployment, ecs: Any, cluster: str, launch_type: str) -> None:
    before = who(deployment)[launch_type]
    ecs.stop_task(cluster=cluster, task=before)
    running: set[str] = set()

    def replaced() -> bool:
        arns = ecs.list_tasks(cluster=cluster)["taskArns"]
        running.clear()
        running.update(
            task["taskArn"].rpartition("/")[2]
            for task in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
            if task["lastStatus"] == "RUNNING" and task["launchType"] == launch_type
        )
        return bool(running)

    eventually(replaced)
    assert before not in running
    # Until the new task is a target, its share of the visitors gets an error, on AWS too.
    eventually(lambda: _all_answered(deployment))
    assert who(deployment)[launch_type] in running


def _all_answered(deployment: Deployment) -> bool:
    try:
        who(deployment)
    except OSError:
        return False
    return True


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
    definition = ecs.describe_task_definition(taskDefinition=good)["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    broken = ecs.register_task_definition(
        family="broken",
        containerDefinitions=[{**container, "command": ["python", "-c", "raise SystemExit('I am broken')"]}],
        **{
            field: definition[field]
            for field in ("taskRoleArn", "executionRoleArn", "networkMode", "requiresCompatibilities", "cpu", "memory")
        },
    )["taskDefinition"]["taskDefinitionArn"]
    try:
        ecs.update_service(cluster=cluster, service=name, taskDefinition=broken)

        def events() -> str:
            (described,) = ecs.describe_services(cluster=cluster, services=[name])["services"]
            return " ".join(event["message"] for event in described["events"])

        eventually(lambda: "rolled back" in events())
        (service,) = ecs.describe_services(cluster=cluster, services=[name])["services"]
        assert service["taskDefinition"] == good
        assert set(who(sandbox)) == {"FARGATE", "EC2"}
        eventually(lambda: any("I am broken" in line for line in sandbox.log_lines("Ecs")))
        told = sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=20)["Messages"][0]["Body"]
        assert "The gallery: SERVICE_DEPLOYMENT_FAILED. ECS deployment circuit breaker was triggered" in told
    finally:
        ecs.deregister_task_definition(taskDefinition=broken)
