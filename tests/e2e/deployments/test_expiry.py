"""A deployment with `expires_at` deletes itself, and leaves nothing behind."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_outputs, stack_resources, stack_states, use_assembly
from tests.e2e.deployments.unfinished_work import leave_work_unfinished, running_containers
from tests.e2e.eventually import eventually
from tests.e2e.operate import run_operation
from tests.queues import alert_inbox

_EXPIRES_AT = "2100-01-01T00:00:00Z"


@pytest.fixture
def expiring(synthesize_pair: Callable[..., Path]) -> Path:
    """The templates of a deployment that expires."""
    return synthesize_pair(expires_at=_EXPIRES_AT)


def _physical_id(sandbox: Sandbox, resource_type: str) -> str:
    """Return the physical ID of the only resource of this type in the stack `Expiry`."""
    (found,) = [
        it for (stack, kind, _), it in stack_resources(sandbox).items() if (stack, kind) == ("Expiry", resource_type)
    ]
    return found


def _run_after_expiry(sandbox: Sandbox, age: timedelta) -> None:
    """Start the function as its schedule does this long after the expiry."""
    event = {"time": (datetime.fromisoformat(_EXPIRES_AT) + age).isoformat()}
    name = _physical_id(sandbox, "AWS::Lambda::Function")
    sandbox.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))


def _run_every_minute(sandbox: Sandbox) -> None:
    """Shorten the interval of the schedule."""
    scheduler = sandbox.client("scheduler")
    schedule = scheduler.get_schedule(Name=_physical_id(sandbox, "AWS::Scheduler::Schedule"))
    scheduler.update_schedule(
        ScheduleExpression="rate(1 minute)", **{key: schedule[key] for key in ("Name", "FlexibleTimeWindow", "Target")}
    )


def _is_deleted(sandbox: Sandbox, stack: str) -> bool:
    return stack not in stack_states(sandbox)


def _wait_until_deleted(sandbox: Sandbox) -> None:
    """Wait until each of a few stacks, in the order of their deletion, is gone, and then all."""
    for stack in ("Lightsail", "Batch", "Thumbnails"):
        eventually(partial(_is_deleted, sandbox, stack))
    eventually(lambda: not stack_states(sandbox))


@pytest.mark.guarantee("Leaves nothing behind")
def test_deployment_in_use_deletes_itself_on_schedule(empty_sandbox: Sandbox) -> None:
    before = inventory(empty_sandbox.client)
    settings = ("-c", "allowed_cidr=127.0.0.0/8")
    run = run_operation(empty_sandbox, *settings, "-c", "expires_after_hours=8", "deploy", "--yes")
    assert run.returncode == 0, run.stderr
    expires_at = stack_outputs(empty_sandbox)["Expiry"]["ExpiresAt"]
    assert f"expires       {expires_at}" in run.stdout
    empty_sandbox.outputs = stack_outputs(empty_sandbox)
    leave_work_unfinished(empty_sandbox)
    assert running_containers(empty_sandbox)

    run = run_operation(empty_sandbox, "-c", "expires_after_hours=0.001", "deploy", "Expiry", "--yes")
    assert run.returncode == 0, run.stderr
    assert f"{expires_at} → " in run.stdout
    _run_every_minute(empty_sandbox)  # not earlier, because `make deploy` would report stacks that are gone
    _wait_until_deleted(empty_sandbox)
    eventually(lambda: not running_containers(empty_sandbox))
    assert {it for it in inventory(empty_sandbox.client) - before if "AWSServiceRoleFor" not in it} == set()


@pytest.mark.guarantee("Leaves nothing behind")
def test_incomplete_deployment_deletes_itself(
    empty_sandbox: Sandbox, synthesize_changed_pair: Callable[..., Path]
) -> None:
    broken = synthesize_changed_pair(
        lambda images: (images / "gallery" / "gallery.py").write_text("raise SystemExit('I am broken')"),
        expires_at=_EXPIRES_AT,
    )
    before = inventory(empty_sandbox.client)
    with use_assembly(empty_sandbox, broken), pytest.raises(SandboxError, match="I am broken"):
        empty_sandbox.deploy()
    states = stack_states(empty_sandbox)
    assert states["Ecs"] == "ROLLBACK_COMPLETE" and "Guardrails" not in states
    _run_after_expiry(empty_sandbox, timedelta(minutes=1))
    _wait_until_deleted(empty_sandbox)
    assert inventory(empty_sandbox.client) - before == set()


@pytest.mark.guarantee("Leaves nothing behind")
@pytest.mark.guarantee("Reports every failure")
def test_stacks_that_cannot_be_deleted_are_reported_and_tried_again(empty_sandbox: Sandbox, expiring: Path) -> None:
    before = inventory(empty_sandbox.client)
    cloudformation, s3 = empty_sandbox.client("cloudformation"), empty_sandbox.client("s3")
    with use_assembly(empty_sandbox, expiring):
        empty_sandbox.deploy()
    # A stack that left the app, whose bucket is not empty, and a stack that is protected.
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "pair-not-empty"}}
    cloudformation.create_stack(
        StackName="pair-Old",
        TemplateBody=json.dumps({"Resources": {"Photos": bucket}}),
        Tags=[{"Key": "project", "Value": "pair"}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pair-Old", WaiterConfig={"Delay": 1})
    s3.put_object(Bucket="pair-not-empty", Key="photo.jpg")
    cloudformation.update_termination_protection(StackName="pair-Cron", EnableTerminationProtection=True)

    with alert_inbox(empty_sandbox) as inbox:
        _run_after_expiry(empty_sandbox, timedelta(hours=1))
        (message,) = eventually(
            lambda: empty_sandbox.client("sqs").receive_message(QueueUrl=inbox, WaitTimeSeconds=1).get("Messages")
        )
    # Cron uses Thumbnails, and the topic is in Guardrails.
    assert stack_states(empty_sandbox).keys() == {"Old", "Cron", "Thumbnails", "Guardrails", "Expiry"}
    assert "pair-Old: DELETE_FAILED" in message["Body"] and "[Photos]" in message["Body"]
    assert "pair-Cron: CREATE_COMPLETE" in message["Body"] and "TerminationProtection" in message["Body"]
    assert "make destroy name=pair" in message["Body"]

    s3.delete_object(Bucket="pair-not-empty", Key="photo.jpg")
    cloudformation.update_termination_protection(StackName="pair-Cron", EnableTerminationProtection=False)
    _run_after_expiry(empty_sandbox, timedelta(hours=1, minutes=5))
    _wait_until_deleted(empty_sandbox)
    assert inventory(empty_sandbox.client) - before == set()
