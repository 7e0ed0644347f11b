"""Invocations in progress while their function or its event source mapping changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.emulator import ACCOUNT, REGION, Emulator
from tests.e2e.eventually import eventually
from tests.local.emulator_requests import create_client
from tests.processes import running_processes

pytestmark = pytest.mark.slow  # starts an emulator

# Calls a service after the test has changed the function, so that it needs its process and its permissions until then.
_CODE = """
import os, pathlib, time, boto3
folder = pathlib.Path(os.environ["FOLDER"])
def handler(event, context):
    (folder / "started").write_text(str(os.getpid()))
    while not (folder / "may-end").exists():
        time.sleep(0.05)
    boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS"], MessageBody=os.environ["VERSION"])
"""
_TRUST = {
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
}
_PERMISSIONS = {"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:*"}}


class _Consumer:
    """A stack with a function that consumes a queue, while the function processes a message."""

    def __init__(self, emulator: Emulator, name: str, folder: Path) -> None:
        self.lambda_, self.sqs, self.cloudformation = (
            create_client(emulator, service) for service in ("lambda", "sqs", "cloudformation")
        )
        self.name, self.folder = name, folder
        attributes = {"VisibilityTimeout": "900"}
        self.queue, self.results = (
            self.sqs.create_queue(QueueName=f"{name}-{kind}", Attributes=attributes)["QueueUrl"]
            for kind in ("queue", "results")
        )
        self.deploy("create", self.template("first"))
        self.wait_for_stack("CREATE_COMPLETE")
        (self.mapping,) = self.lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        self.sqs.send_message(QueueUrl=self.queue, MessageBody="-")
        eventually(lambda: (folder / "started").exists())

    def deploy(self, action: str, template: dict[str, Any]) -> None:
        """Start to create or update the stack."""
        call = getattr(self.cloudformation, f"{action}_stack")
        call(StackName=self.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])

    def wait_for_stack(self, status: str) -> None:
        describe = self.cloudformation.describe_stacks
        eventually(lambda: describe(StackName=self.name)["Stacks"][0]["StackStatus"] == status)

    def template(self, version: str, code: str = _CODE, suffix: str = "") -> dict[str, Any]:
        variables = {"FOLDER": str(self.folder), "RESULTS": self.results, "VERSION": version}
        role = {
            "AssumeRolePolicyDocument": _TRUST,
            "Policies": [{"PolicyName": "calls", "PolicyDocument": _PERMISSIONS}],
        }
        function = {
            "FunctionName": self.name + suffix,
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Handler": "index.handler",
            "Timeout": 120,
            "Code": {"ZipFile": code},
            "Environment": {"Variables": variables},
        }
        source = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}-queue"
        mapping = {"FunctionName": {"Ref": "Function"}, "EventSourceArn": source}
        resources = {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
        }
        return {"Resources": resources}

    def end_invocation(self) -> str:
        """Let the function end. Returns the version that processed the message."""
        (self.folder / "may-end").touch()
        (result,) = eventually(lambda: self.sqs.receive_message(QueueUrl=self.results).get("Messages"))
        eventually(lambda: not self.messages())
        return str(result["Body"])

    def messages(self) -> int:
        """Return the number of messages in the queue, also of those that are invisible."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))

    def state(self) -> str:
        try:
            return str(self.lambda_.get_event_source_mapping(UUID=self.mapping["UUID"])["State"])
        except self.lambda_.exceptions.ResourceNotFoundException:
            return "Deleted"


@pytest.fixture
def consumer(emulator: Emulator, tmp_path: Path, request: pytest.FixtureRequest) -> _Consumer:
    return _Consumer(emulator, "".join(filter(str.isalnum, request.node.name))[-40:], tmp_path)


def _delete_stack(consumer: _Consumer) -> None:
    consumer.cloudformation.delete_stack(StackName=consumer.name)


def _remove_from_stack(consumer: _Consumer) -> None:
    consumer.deploy("update", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def _delete_mapping(consumer: _Consumer) -> None:
    consumer.lambda_.delete_event_source_mapping(UUID=consumer.mapping["UUID"])


@pytest.mark.parametrize("delete", [_delete_stack, _remove_from_stack, _delete_mapping])
def test_mapping_is_deleted_when_its_batches_have_ended(
    consumer: _Consumer, delete: Callable[[_Consumer], object]
) -> None:
    delete(consumer)
    eventually(lambda: consumer.state() != "Enabled")
    assert consumer.state() == "Deleting"
    consumer.sqs.send_message(QueueUrl=consumer.results, MessageBody="-")  # The emulator serves other calls meanwhile.
    consumer.sqs.purge_queue(QueueUrl=consumer.results)
    assert consumer.end_invocation() == "first"
    eventually(lambda: consumer.state() == "Deleted")
    if delete is not _delete_mapping:
        process = int((consumer.folder / "started").read_text())
        eventually(lambda: process not in {it.id for it in running_processes()})


def _update_stack(consumer: _Consumer) -> None:
    consumer.deploy("update", consumer.template("second", _CODE + "# changed"))
    consumer.wait_for_stack("UPDATE_COMPLETE")


def _replace_function(consumer: _Consumer) -> None:
    consumer.deploy("update", consumer.template("second", suffix="-2"))
    consumer.wait_for_stack("UPDATE_COMPLETE")


def _update_configuration(consumer: _Consumer) -> None:
    function = consumer.lambda_.get_function_configuration(FunctionName=consumer.name)
    variables = function["Environment"]["Variables"] | {"VERSION": "second"}
    consumer.lambda_.update_function_configuration(FunctionName=consumer.name, Environment={"Variables": variables})


def _delete_function(consumer: _Consumer) -> None:
    consumer.lambda_.delete_function(FunctionName=consumer.name)


@pytest.mark.parametrize("change", [_update_stack, _replace_function, _update_configuration, _delete_function])
def test_invocation_in_progress_ends_as_it_started_when_the_function_changes(
    consumer: _Consumer, change: Callable[[_Consumer], object]
) -> None:
    change(consumer)
    assert consumer.end_invocation() == "first"
    process = int((consumer.folder / "started").read_text())
    eventually(lambda: process not in {it.id for it in running_processes()})
    if change is not _delete_function:
        consumer.sqs.send_message(QueueUrl=consumer.queue, MessageBody="-")
        assert consumer.end_invocation() == "second"
