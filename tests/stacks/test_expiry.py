"""The Expiry stack: which stacks its function deletes, with which permissions, and when it runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.cdk import Assembly
from tests.templates import as_list, only, read_resources, stack_names, statements

_EXPIRES_AT = "2026-11-28T20:00:00Z"


@pytest.fixture(scope="module", params=["lambda", "fargate"])
def expiring(request: pytest.FixtureRequest, synthesize: Callable[..., Path]) -> Path:
    """The templates of a deployment that expires."""
    return synthesize(expires_at=_EXPIRES_AT, thumbnails_on=request.param)


def _environment(assembly: Path) -> dict[str, Any]:
    _, function = only(read_resources(assembly, "Expiry"), "AWS::Lambda::Function")
    variables: dict[str, Any] = function["Environment"]["Variables"]
    return variables


def test_all_stacks_are_deployed_after_the_expiry(expiring: Path) -> None:
    """So an incomplete deployment expires, too."""
    stacks = Assembly(expiring).stacks()
    assert stacks.pop("Expiry") == set()
    assert all("Expiry" in dependencies for dependencies in stacks.values())


@pytest.mark.guarantee("Leaves nothing behind")
def test_stacks_are_deleted_before_what_they_use_and_the_topic_last(expiring: Path) -> None:
    order = json.loads(_environment(expiring)["DELETION_ORDER"])
    dependencies = Assembly(expiring).stacks()
    assert order["last"] == ["Guardrails", "Expiry"]
    assert {*order["users"], *order["last"]} == dependencies.keys()
    expected = {
        stack: {user for user, used in dependencies.items() if stack in used} - {*order["last"]}
        for stack in order["users"]
    }
    assert {stack: set(users) for stack, users in order["users"].items()} == expected
    assert expected["Thumbnails"]


@pytest.mark.guarantee("Least privilege")
def test_function_deletes_only_stacks_of_this_deployment_and_passes_no_role(expiring: Path) -> None:
    found = statements(read_resources(expiring, "Expiry"), "FunctionRole")
    (delete,) = [it for it in found if "cloudformation:DeleteStack" in as_list(it["Action"])]
    assert delete["Condition"] == {"StringEquals": {"aws:ResourceTag/project": "other-compute"}}
    assert ":stack/other-compute-*/*" in json.dumps(delete["Resource"])
    (publish,) = [it for it in found if it["Action"] == "sns:Publish"]
    assert ":other-compute-Guardrails-*" in json.dumps(publish["Resource"])
    assert "iam:" not in json.dumps(found)


def test_runs_do_not_overlap_and_the_schedule_has_no_dates(expiring: Path) -> None:
    """EventBridge Scheduler rejects a start date in the past, and an expired template must stay deployable."""
    resources = read_resources(expiring, "Expiry")
    _, schedule = only(resources, "AWS::Scheduler::Schedule")
    _, function = only(resources, "AWS::Lambda::Function")
    assert schedule["ScheduleExpression"] == f"rate({function['Timeout'] // 60} minutes)"
    assert _environment(expiring)["RUN_INTERVAL_MINUTES"] == str(function["Timeout"] // 60)
    assert not {"StartDate", "EndDate"} & schedule.keys()
    assert json.loads(schedule["Target"]["Input"]) == {"time": "<aws.scheduler.scheduled-time>"}


def test_another_time_changes_no_other_stack(expiring: Path, synthesize: Callable[..., Path]) -> None:
    """Except `Thumbnails`, which records the settings in an output."""
    thumbnails_on = "fargate" if "Workers" in stack_names(expiring) else "lambda"
    later = synthesize(expires_at="2026-11-29T20:00:00Z", thumbnails_on=thumbnails_on)
    changed = {it for it in stack_names(expiring) if read_resources(expiring, it) != read_resources(later, it)}
    assert changed == {"Expiry"}
