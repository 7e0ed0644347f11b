"""The stacks of a deployment: found by their tag, deleted in the right order."""

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import boto3
import pytest

from local.console import Step
from local.sandbox import Sandbox
from operations import deployed_stacks
from operations.deployed_stacks import (
    delete_stacks,
    deployed_templates,
    deployment_names,
    find_producers,
    find_stacks,
    with_producers,
)
from operations.errors import OperationError

_Create = Callable[..., None]


@pytest.fixture
def session(empty_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """A session in the sandbox. Afterwards, all stacks of the tests are deleted."""
    monkeypatch.setattr(deployed_stacks, "_POLL_SECONDS", 0.1)
    monkeypatch.setattr(deployed_stacks, "_RETRY_SECONDS", 0.1)
    for name, value in empty_sandbox.emulator.client_environment().items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    yield session
    cloudformation = session.client("cloudformation")
    for stack in [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]:
        if "photos" in stack:
            cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
            cloudformation.delete_stack(StackName=stack)
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


@pytest.fixture
def create(session: boto3.Session) -> _Create:
    """Return a function that creates a stack with an exported output and references to others."""

    def create(name: str, *references: Any, tag: str | None = "photos", **resources: Any) -> None:
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, **resources},
            "Outputs": {
                "Name": {"Value": name, "Export": {"Name": f"{name}:Name"}},
                **{f"Uses{number}": {"Value": reference} for number, reference in enumerate(references)},
            },
        }
        tags: Any = [{"Key": "project", "Value": tag}] if tag else []
        cloudformation = session.client("cloudformation")
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), Tags=tags)
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})

    return create


def _import(stack: str) -> dict[str, str]:
    return {"Fn::ImportValue": f"photos-{stack}:Name"}


def _get_output(stack: str) -> dict[str, Any]:
    return {"Fn::GetStackOutput": {"StackName": f"photos-{stack}", "Region": "us-east-1", "OutputName": "Name"}}


def test_find_stacks_ignores_other_deployments(session: boto3.Session, create: _Create) -> None:
    create("photos-Cron")
    create("photos-Api")
    create("photos-of-anna-Cron", tag="photos-of-anna")
    for other in ("photos", "photos-x", "my-photos-Ecs", "photos-A-b"):
        create(other)
    assert find_stacks(session, "photos").keys() == {"Cron", "Api"}
    assert deployment_names(session) == ["photos", "photos-of-anna"]


@pytest.mark.parametrize("tag", [None, "another"])
def test_find_stacks_rejects_a_stack_with_the_name_but_not_the_tag(
    session: boto3.Session, create: _Create, tag: str | None
) -> None:
    create("photos-Cron")
    create("photos-Website", tag=tag)
    with pytest.raises(OperationError, match=r"project=photos is missing on photos-Website\."):
        find_stacks(session, "photos")


def test_stack_of_an_interrupted_deployment_is_found_and_deleted(session: boto3.Session, create: _Create) -> None:
    """CloudFormation adds the tags when it executes the first change set."""
    create("photos-Api")
    session.client("cloudformation").create_change_set(
        StackName="photos-Cron",
        ChangeSetName="interrupted",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
    )
    stacks = find_stacks(session, "photos")
    assert stacks["Cron"].status == "REVIEW_IN_PROGRESS"
    delete_stacks(session, stacks)
    assert find_stacks(session, "photos") == {}


class _RecordedStep(Step):
    """A step that records what it waited for."""

    def __init__(self) -> None:
        self.recorded: list[str] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "waits_for":
            self.recorded.append(value)
        super().__setattr__(name, value)


def test_stacks_are_deleted_after_the_stacks_that_use_them(
    session: boto3.Session, create: _Create, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = _RecordedStep()
    monkeypatch.setattr(deployed_stacks, "step", lambda _: nullcontext(step))
    create("photos-Api")
    create("photos-Zone", _get_output("Api"))
    create("photos-Batch", _import("Api"))
    create("photos-Cron", _import("Batch"), _get_output("Zone"))
    stacks = find_stacks(session, "photos")
    producers = find_producers(stacks, deployed_templates(session, stacks))
    assert producers == {"Api": set(), "Zone": {"Api"}, "Batch": {"Api"}, "Cron": {"Batch", "Zone"}}
    assert with_producers({"Zone"}, producers) == {"Zone", "Api"}
    assert with_producers({"Cron"}, producers) == {"Cron", "Batch", "Zone", "Api"}
    delete_stacks(session, stacks)
    assert find_stacks(session, "photos") == {}
    deleted = [line.split()[1] for line in capsys.readouterr().out.splitlines() if "Deleted" in line]
    assert deleted == ["Cron", "Batch", "Zone", "Api"]
    assert [step.recorded[0], step.recorded[-1]] == ["Cron", "Api"]
    assert "Batch, Zone" in step.recorded


def test_stacks_that_remain_are_reported_with_the_reason(
    session: boto3.Session, create: _Create, capsys: pytest.CaptureFixture[str]
) -> None:
    create("photos-Api")
    create("photos-Cron", _get_output("Api"))
    cloudformation = session.client("cloudformation")
    cloudformation.update_termination_protection(StackName="photos-Cron", EnableTerminationProtection=True)
    with pytest.raises(OperationError, match=r"Not deleted: Api, Cron\."):
        delete_stacks(session, find_stacks(session, "photos"))
    assert "TerminationProtection" in capsys.readouterr().out
    assert find_stacks(session, "photos").keys() == {"Api", "Cron"}


def test_bucket_that_was_refilled_during_the_deletion_is_emptied(
    session: boto3.Session, create: _Create, capsys: pytest.CaptureFixture[str]
) -> None:
    # The state after an invocation in flight: the resource that empties the bucket is gone, the bucket has an object.
    create("photos-Thumbnails", Photos={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "photos-refilled"}})
    session.client("s3").put_object(Bucket="photos-refilled", Key="late.webp")
    delete_stacks(session, find_stacks(session, "photos"))
    assert find_stacks(session, "photos") == {}
    assert "AWS::S3::Bucket Photos: " in capsys.readouterr().out
