"""Updates of a deployment take effect and keep its data.

These tests update the same deployment, in this order.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from local.api_client import ApiClient
from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox
from stacks.support.settings import Settings
from tests.e2e.api.api_requests import client_at_other_address
from tests.e2e.cloudformation import stack_outputs, stack_resources, stack_states, use_assembly
from tests.e2e.deployments.unfinished_work import leave_work_unfinished, running_containers
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import dead_letters
from tests.e2e.gallery_requests import get_gallery
from tests.e2e.photos import final_item, put_original
from tests.project_copy import copy_project, replace, synthesize_copy
from tests.templates import STATEFUL_TYPES


@pytest.fixture(scope="module")
def pair(empty_sandbox: Sandbox, initial_inventory: set[str]) -> Iterator[Sandbox]:
    """The sandbox with the deployment. It is destroyed even if a test fails, because other files use the sandbox."""
    yield empty_sandbox
    if stack_states(empty_sandbox):
        empty_sandbox.destroy()


def _stored_data(sandbox: Sandbox) -> dict[str, Any]:
    """Return the physical ids of stateful resources, and what they contain."""
    s3, ecr, thumbnails = sandbox.client("s3"), sandbox.client("ecr"), sandbox.outputs["Thumbnails"]
    stateful = {key: name for key, name in stack_resources(sandbox).items() if key[1] in STATEFUL_TYPES}
    return {
        "resources": stateful,
        "objects": {
            (bucket, entry["Key"]): entry["ETag"]
            for (_, kind, _), bucket in stateful.items()
            if kind == "AWS::S3::Bucket" and bucket in thumbnails.values()
            for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        },
        "catalogue": sandbox.table_items(thumbnails["CatalogueTable"]),
        "dead-letter queue": dead_letters(sandbox, "Thumbnails"),
        "images": {
            tag
            for (_, kind, _), repository in stateful.items()
            if kind == "AWS::ECR::Repository"
            for image in ecr.describe_images(repositoryName=repository)["imageDetails"]
            for tag in image["imageTags"]
        },
        "listed": [
            (photo["id"], photo["state"], *photo["thumbnails"])
            for photo in ApiClient(sandbox.outputs["Api"]["ApiUrl"]).request("GET", "photos").json()["photos"]
        ],
    }


def _upload_photo(sandbox: Sandbox, key: str) -> None:
    put_original(sandbox, key)
    assert final_item(sandbox, key)["state"] == "ready"


def _create_album(sandbox: Sandbox) -> None:
    """Create an album of all photos with the API, and wait until it is ready."""
    client = ApiClient(sandbox.outputs["Api"]["ApiUrl"], sandbox.api_key())
    response = client.request("POST", "albums", {"title": "All"})
    assert response.status == 202, response.data
    path = f"albums/{response.json()['id']}"
    eventually(lambda: client.request("GET", path).json()["state"] != "running")
    assert client.request("GET", path).json()["state"] == "ready"


@pytest.mark.guarantee("Deploys the first time")
def test_deploy_succeeds_after_a_failed_image_build(
    pair: Sandbox, synthesize_pair: Callable[..., Path], synthesize_changed_pair: Callable[..., Path]
) -> None:
    without_dockerfile = synthesize_changed_pair(lambda images: (images / "gallery" / "Dockerfile").unlink())
    with use_assembly(pair, without_dockerfile), pytest.raises(SandboxError, match="Dockerfile"):
        pair.deploy("Registry")
    assert stack_states(pair) == {"Registry": "ROLLBACK_COMPLETE"}
    with use_assembly(pair, synthesize_pair()):
        pair.deploy()
    assert set(stack_states(pair).values()) == {"CREATE_COMPLETE"}
    _upload_photo(pair, "before/any update.jpg")
    _create_album(pair)
    pair.client("sqs").send_message(QueueUrl=pair.outputs["Thumbnails"]["DeadLetterQueueUrl"], MessageBody="dead")


def _check_source_addresses(sandbox: Sandbox) -> None:
    url = sandbox.outputs["Api"]["ApiUrl"]
    assert ApiClient(url).request("GET", "health").status == 200
    assert client_at_other_address(url).request("GET", "health").status == 403


def _check_schedule_time_zone(sandbox: Sandbox) -> None:
    (schedule,) = sandbox.client("scheduler").list_schedules()["Schedules"]
    assert sandbox.client("scheduler").get_schedule(Name=schedule["Name"])["ScheduleExpressionTimezone"] == "Asia/Tokyo"


def _check_email_subscription(sandbox: Sandbox) -> None:
    topic = sandbox.outputs["Guardrails"]["AlertTopic"]
    (subscription,) = sandbox.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")


def _check_budget_limit(sandbox: Sandbox) -> None:
    account = sandbox.client("sts").get_caller_identity()["Account"]
    (budget,) = sandbox.client("budgets").describe_budgets(AccountId=account)["Budgets"]
    assert float(budget["BudgetLimit"]["Amount"]) == 35


# New values of settings, with checks that they are in effect. `name` creates another deployment, `target` is for the
# sandbox, and `thumbnails_on` and `expires_at` add and delete a stack, which is not an update.
_CHANGES: dict[str, tuple[str, Callable[[Sandbox], None]]] = {
    "time_zone": ("Asia/Tokyo", _check_schedule_time_zone),
    "alert_email": ("me@example.com", _check_email_subscription),
    "monthly_budget_usd": ("35", _check_budget_limit),
    "allowed_cidr": ("127.0.0.1/32", _check_source_addresses),  # last, because it skips the rest on macOS
}


def test_every_setting_has_an_update_check() -> None:
    assert {*_CHANGES, "name", "target", "thumbnails_on", "expires_at"} == {field.name for field in fields(Settings)}


@pytest.mark.guarantee("Keeps data in updates")
def test_changed_settings_take_effect_without_data_loss(pair: Sandbox, synthesize_pair: Callable[..., Path]) -> None:
    before = _stored_data(pair)
    with use_assembly(pair, synthesize_pair(**{setting: value for setting, (value, _) in _CHANGES.items()})):
        pair.deploy()
    assert _stored_data(pair) == before
    for _, assert_in_effect in _CHANGES.values():
        assert_in_effect(pair)


@pytest.mark.guarantee("Keeps data in updates")
def test_broken_gallery_is_rolled_back_without_data_loss(
    pair: Sandbox, synthesize_changed_pair: Callable[..., Path]
) -> None:
    before = _stored_data(pair)
    broken = synthesize_changed_pair(
        lambda images: (images / "gallery" / "gallery.py").write_text("raise SystemExit(1)")
    )
    with use_assembly(pair, broken), pytest.raises(SandboxError, match="circuit breaker was triggered"):
        pair.deploy()
    assert stack_states(pair)["Ecs"] == "UPDATE_ROLLBACK_COMPLETE"
    assert json.loads(get_gallery(pair, "health")) == {"status": "ok"}
    after = _stored_data(pair)
    assert after.pop("images") > before.pop("images")  # The broken image stays as well.
    assert after == before


@pytest.mark.guarantee("Keeps data in updates")
def test_changed_code_takes_effect_without_data_loss(pair: Sandbox, tmp_path: Path) -> None:
    before, job_images_before = _stored_data(pair), _job_images(pair)
    project = copy_project(tmp_path / "project")
    replace(project / "lambda_src" / "api" / "operations.py", '"status": "ok"', '"status": "changed"')
    replace(project / "containers" / "gallery" / "static" / "index.html", "</title>", " changed</title>")
    replace(project / "containers" / "album" / "Dockerfile", "USER 10001", "USER 10002")
    replace(project / "stacks" / "constructs" / "thumbnail_function.py", "memory_size=1769", "memory_size=2048")
    changed = synthesize_copy(project, tmp_path / "cdk.out", name="pair", target="local", allowed_cidr="127.0.0.0/8")
    with use_assembly(pair, changed):
        pair.deploy()
    assert ApiClient(pair.outputs["Api"]["ApiUrl"]).request("GET", "health").json() == {"status": "changed"}
    assert b" changed</title>" in get_gallery(pair, "")
    assert _job_images(pair).isdisjoint(job_images_before)
    _upload_photo(pair, "after the update.jpg")
    _create_album(pair)
    after = _stored_data(pair)
    assert after["resources"] == before["resources"]
    assert after["images"] > before["images"]
    assert after["objects"].items() > before["objects"].items()
    assert after["dead-letter queue"] == before["dead-letter queue"]
    assert set(after["listed"]) > set(before["listed"])


def _job_images(sandbox: Sandbox) -> set[str]:
    """Return the images of the active job definitions for albums."""
    active = sandbox.client("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    definitions = [definition for definition in active if not definition["jobDefinitionName"].endswith("-remake")]
    assert len(definitions) == 2
    return {definition["containerProperties"]["image"] for definition in definitions}


@pytest.mark.guarantee("Leaves nothing behind")
def test_destroy_during_use_leaves_nothing_behind(pair: Sandbox, initial_inventory: set[str]) -> None:
    ecs = pair.client("ecs")
    tasks = [
        task for cluster in ecs.list_clusters()["clusterArns"] for task in ecs.list_tasks(cluster=cluster)["taskArns"]
    ]
    assert tasks
    assert stack_outputs(pair) == pair.outputs
    leave_work_unfinished(pair)
    assert len(running_containers(pair)) > len(tasks)  # including jobs
    pair.destroy()
    assert stack_states(pair) == {}
    assert inventory(pair.client) - initial_inventory == set()
    assert running_containers(pair) == []
