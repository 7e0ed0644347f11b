"""A deployed service is changed: after each redeployment all that it held is there, and the change is in effect.

The tests of this file are one story, told in order, of one deployment.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.api_client import ApiClient
from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_outputs, stack_resources, stack_states, use_assembly
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import dead_letters
from tests.e2e.photos import final_item, put_original
from tests.e2e.unfinished_work import leave_work_unfinished, running_processes
from tests.project_copy import copy_project, replace, synthesize_copy

HOLDS_DATA = {
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}


@pytest.fixture(scope="module")
def account(empty_sandbox: Sandbox) -> set[str]:
    """What was there before the story began."""
    return inventory(empty_sandbox.client)


@pytest.fixture(scope="module")
def story(empty_sandbox: Sandbox, account: set[str]) -> Iterator[Sandbox]:
    """The sandbox. Other files use it too, so it is emptied however the story ends."""
    yield empty_sandbox
    if stack_states(empty_sandbox):
        empty_sandbox.destroy()


@pytest.fixture
def held(story: Sandbox) -> Callable[[], dict[str, Any]]:
    """Looks at all that the service holds, and where."""
    return lambda: _held(story)


def _held(sandbox: Sandbox) -> dict[str, Any]:
    s3, ecr, thumbnails = sandbox.client("s3"), sandbox.client("ecr"), sandbox.outputs["Thumbnails"]
    there = {what: name for what, name in stack_resources(sandbox).items() if what[1] in HOLDS_DATA}
    return {
        "resources": there,
        "objects": {
            (bucket, entry["Key"]): entry["ETag"]
            for (_, kind, _), bucket in there.items()
            if kind == "AWS::S3::Bucket" and bucket in thumbnails.values()
            for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        },
        "catalogue": sandbox.table_items(thumbnails["CatalogueTable"]),
        "dead letters": dead_letters(sandbox, "Thumbnails"),
        "images": {
            tag
            for (_, kind, _), repository in there.items()
            if kind == "AWS::ECR::Repository"
            for image in ecr.describe_images(repositoryName=repository)["imageDetails"]
            for tag in image["imageTags"]
        },
        "listed": [
            (photo["id"], photo["state"], *photo["thumbnails"])
            for photo in ApiClient(sandbox.outputs["Api"]["ApiUrl"]).request("GET", "photos").json()["photos"]
        ],
    }


@pytest.mark.guarantee("Deploys the first time")
def test_deploy_succeeds_after_a_failed_image_build(
    story: Sandbox,
    synthesize_pair: Callable[..., Path],
    synthesize_changed_pair: Callable[..., Path],
) -> None:
    cannot_be_built = synthesize_changed_pair(lambda images: (images / "gallery" / "Dockerfile").unlink())
    with use_assembly(story, cannot_be_built), pytest.raises(SandboxError, match="Dockerfile"):
        story.deploy("Registry")
    assert stack_states(story) == {"Registry": "ROLLBACK_COMPLETE"}
    with use_assembly(story, synthesize_pair()):
        story.deploy()
    assert set(stack_states(story).values()) == {"CREATE_COMPLETE"}
    put_original(story, "before/any update.jpg")
    assert final_item(story, "before/any update.jpg")["state"] == "ready"
    _order_album(story)
    story.client("sqs").send_message(QueueUrl=story.outputs["Thumbnails"]["DeadLetterQueueUrl"], MessageBody="dead")


def _page_is_for_others_no_more(sandbox: Sandbox) -> None:
    url = sandbox.outputs["Api"]["ApiUrl"]
    assert ApiClient(url).request("GET", "health").status == 200
    assert ApiClient(url, address="127.0.0.2").request("GET", "health").status == 403


def _sweeps_in_tokyo(sandbox: Sandbox) -> None:
    (schedule,) = sandbox.client("scheduler").list_schedules()["Schedules"]
    assert sandbox.client("scheduler").get_schedule(Name=schedule["Name"])["ScheduleExpressionTimezone"] == "Asia/Tokyo"


def _mail_is_asked_for(sandbox: Sandbox) -> None:
    topic = sandbox.outputs["Guardrails"]["AlertTopic"]
    (subscription,) = sandbox.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")


def _budget_is_larger(sandbox: Sandbox) -> None:
    account = sandbox.client("sts").get_caller_identity()["Account"]
    (budget,) = sandbox.client("budgets").describe_budgets(AccountId=account)["Budgets"]
    assert float(budget["BudgetLimit"]["Amount"]) == 35


# Each setting that a deployed copy may be given another value of, and how one sees that it has. `name` makes another
# copy, and `target` is for the laptop.
_CHANGES: dict[str, tuple[str, Callable[[Sandbox], None]]] = {
    "allowed_cidr": ("127.0.0.1/32", _page_is_for_others_no_more),
    "time_zone": ("Asia/Tokyo", _sweeps_in_tokyo),
    "alert_email": ("me@example.com", _mail_is_asked_for),
    "monthly_budget_usd": ("35", _budget_is_larger),
}


def test_every_setting_is_changed(context: dict[str, Any]) -> None:
    from dataclasses import fields

    from stacks.support.settings import Settings

    assert {*_CHANGES, "name", "target"} == {field.name for field in fields(Settings)}


@pytest.mark.guarantee("Keeps data in updates")
def test_changed_settings_take_effect_without_data_loss(
    story: Sandbox, held: Callable[[], dict[str, Any]], synthesize_pair: Callable[..., Path]
) -> None:
    before = held()
    with use_assembly(story, synthesize_pair(**{setting: value for setting, (value, _) in _CHANGES.items()})):
        story.deploy()
    for _, is_in_effect in _CHANGES.values():
        is_in_effect(story)
    assert held() == before


@pytest.mark.guarantee("Keeps data in updates")
def test_broken_gallery_is_rolled_back_without_data_loss(
    story: Sandbox,
    held: Callable[[], dict[str, Any]],
    synthesize_changed_pair: Callable[..., Path],
) -> None:
    before = held()
    broken = synthesize_changed_pair(
        lambda images: (images / "gallery" / "gallery.py").write_text("raise SystemExit(1)")
    )
    with use_assembly(story, broken), pytest.raises(SandboxError, match="circuit breaker was triggered"):
        story.deploy()
    assert stack_states(story)["Ecs"] == "UPDATE_ROLLBACK_COMPLETE"
    assert json.loads(_page(story, "health")) == {"status": "ok"}
    after = held()
    assert after.pop("images") > before.pop("images")  # those that did not start are kept too
    assert after == before


@pytest.mark.guarantee("Keeps data in updates")
def test_changed_code_takes_effect_without_data_loss(
    story: Sandbox, held: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    before, of_jobs_before = held(), _images_of_jobs(story)
    project = copy_project(tmp_path / "project")
    replace(project / "lambda_src" / "api" / "operations.py", '"status": "ok"', '"status": "changed"')
    replace(project / "containers" / "gallery" / "static" / "index.html", "</title>", " changed</title>")
    replace(project / "containers" / "album" / "Dockerfile", "USER 10001", "USER 10002")
    replace(project / "stacks" / "constructs" / "thumbnail_function.py", "memory_size=1769", "memory_size=2048")
    changed = synthesize_copy(project, tmp_path / "cdk.out", name="pair", target="local", allowed_cidr="127.0.0.0/8")
    with use_assembly(story, changed):
        story.deploy()
    assert ApiClient(story.outputs["Api"]["ApiUrl"]).request("GET", "health").json() == {"status": "changed"}
    assert b" changed</title>" in _page(story, "")
    assert _images_of_jobs(story).isdisjoint(of_jobs_before)
    put_original(story, "after the update.jpg")
    assert final_item(story, "after the update.jpg")["state"] == "ready"
    _order_album(story)
    after = held()
    assert after["resources"] == before["resources"]
    assert after["images"] > before["images"]
    assert after["objects"].items() > before["objects"].items()
    assert after["dead letters"] == before["dead letters"]
    assert set(after["listed"]) > set(before["listed"])


@pytest.mark.guarantee("Leaves nothing behind")
def test_destroy_during_use_leaves_nothing_behind(story: Sandbox, account: set[str]) -> None:
    tasks = [
        task
        for cluster in story.client("ecs").list_clusters()["clusterArns"]
        for task in story.client("ecs").list_tasks(cluster=cluster)["taskArns"]
    ]
    assert tasks
    assert stack_outputs(story) == story.outputs
    leave_work_unfinished(story)
    assert len(running_processes(story)) > len(tasks)  # jobs, too
    story.destroy()
    assert stack_states(story) == {}
    assert inventory(story.client) - account == set()
    assert running_processes(story) == []


def _images_of_jobs(sandbox: Sandbox) -> set[str]:
    """The images of jobs that are ordered now."""
    definitions = sandbox.client("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert len(definitions) == 2
    return {definition["containerProperties"]["image"] for definition in definitions}


def _order_album(sandbox: Sandbox) -> None:
    """Order one of all photos from the API, and wait for it."""
    client = ApiClient(sandbox.outputs["Api"]["ApiUrl"], sandbox.api_key())
    ordered = client.request("POST", "albums", {"title": "All"})
    assert ordered.status == 202, ordered.data
    album = f"albums/{ordered.json()['id']}"
    eventually(lambda: client.request("GET", album).json()["state"] != "running")
    assert client.request("GET", album).json()["state"] == "ready"


def _page(sandbox: Sandbox, path: str) -> bytes:
    # The proxy of the user's environment has no business here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{sandbox.outputs['Ecs']['GalleryUrl']}{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body
