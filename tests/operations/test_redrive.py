"""`make redrive` when something fails. `tests/e2e/test_redrive.py` reprocesses messages and shows them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from operations import redrive
from operations.consumer import Workers
from operations.errors import OperationError
from photos.sweep import Phase, Progress

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

UPLOAD = '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a+b.jpg"}}}]}'
WORKERS = "arn:aws:ecs:us-east-1:123456789012:service/cluster/workers"
PROGRESS = Progress(datetime(2026, 11, 24, 4, tzinfo=UTC), phase=Phase.THUMBNAILS, after="ab", runs=3).to_json()


class Deployment(boto3.Session):
    """Queues in moto; SQS message-move tasks and Lambda are simulated here."""

    def __init__(self) -> None:
        super().__init__(region_name="us-east-1")
        self.sqs: SQSClient = super().client("sqs")
        self.dead, self.sweeps = (self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("dead", "sweeps"))
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})
        self.uploads = self.sqs.create_queue(QueueName="uploads", Attributes={"RedrivePolicy": policy})["QueueUrl"]
        self.stacks = {
            "Thumbnails": {"UploadQueueUrl": self.uploads, "DeadLetterQueueUrl": self.dead},
            "Cron": {"SweepFunction": "sweep", "DeadLetterQueueUrl": self.sweeps},
        }
        self.meta = SimpleNamespace(region_name=self.region_name)
        self.task_status = "COMPLETED"
        self.mappings = [{"FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:thumbnail"}]
        self.running_workers = 0
        self.sweep_events: list[dict[str, Any]] = []
        simulated: Any = self.sqs
        simulated.start_message_move_task = self.start_message_move_task
        simulated.list_message_move_tasks = self.list_message_move_tasks

    def client(self, service: str, **_: Any) -> Any:  # type: ignore[override]  # only what is used
        return self.sqs if service == "sqs" else self

    def start_message_move_task(self, SourceArn: str) -> None:
        """Move all messages, and process them successfully."""
        self.moved = self.sqs.receive_message(QueueUrl=self.dead, MaxNumberOfMessages=10)["Messages"]
        for message in self.moved:
            self.sqs.delete_message(QueueUrl=self.dead, ReceiptHandle=message["ReceiptHandle"])

    def list_message_move_tasks(self, **_: Any) -> Any:
        return {"Results": [{"Status": self.task_status, "ApproximateNumberOfMessagesMoved": len(self.moved)}]}

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: str) -> None:
        assert (FunctionName, InvocationType) == ("sweep", "Event")
        self.sweep_events.append(json.loads(Payload))

    def describe_stacks(self, StackName: str) -> Any:
        outputs = self.stacks.get(StackName.removeprefix("name-"))
        if outputs is None:
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": it} for key, it in outputs.items()]}]}

    def list_event_source_mappings(self, EventSourceArn: str) -> Any:
        assert EventSourceArn.endswith(":uploads")
        return {"EventSourceMappings": self.mappings}

    def describe_services(self, *, cluster: str, services: list[str]) -> Any:
        """Report the service, whose first worker then starts and processes the messages."""
        assert (cluster, services) == ("cluster", [WORKERS])
        service = {"runningCount": self.running_workers, "desiredCount": 1}
        if self.running_workers:
            for message in self.sqs.receive_message(QueueUrl=self.uploads).get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.uploads, ReceiptHandle=message["ReceiptHandle"])
        self.running_workers = 1
        return {"services": [service]}

    def send(self, url: str, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr(redrive, "_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(redrive, "_POLL_SECONDS", 0)
    with mock_aws():
        yield Deployment()


def _failed(**event: Any) -> str:
    """Return the message that Lambda sends to the dead-letter queue after the last failed attempt."""
    error = {"errorType": "ClientError", "errorMessage": "SlowDown"}
    return json.dumps({"requestPayload": event, "responsePayload": error})


def test_redrive_fails_when_the_task_fails(deployment: Deployment) -> None:
    deployment.send(deployment.dead, UPLOAD)
    deployment.task_status = "FAILED"
    with pytest.raises(OperationError, match=r"message-move task .* FAILED"):
        redrive.redrive(deployment, "name")


def test_redrive_fails_when_the_upload_queue_does_not_drain(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.send(deployment.dead, UPLOAD)
    deployment.send(deployment.uploads, UPLOAD)
    deployment.sqs.set_queue_attributes(QueueUrl=deployment.uploads, Attributes={"VisibilityTimeout": "0"})
    monkeypatch.setattr(redrive, "_MARGIN_SECONDS", 0.1)
    with pytest.raises(OperationError, match="upload queue is not empty"):
        redrive.redrive(deployment, "name")


@pytest.mark.parametrize("starts", [True, False])
def test_redrive_waits_until_workers_have_started(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], starts: bool
) -> None:
    deployment.mappings, deployment.stacks["Workers"] = [], {"WorkerService": WORKERS}
    deployment.send(deployment.dead, UPLOAD)
    deployment.send(deployment.uploads, UPLOAD)
    deployment.sqs.set_queue_attributes(QueueUrl=deployment.uploads, Attributes={"VisibilityTimeout": "0"})
    monkeypatch.setattr(redrive, "_MARGIN_SECONDS", 0)
    if starts:
        assert redrive.redrive(deployment, "name") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in lines if line.startswith("Workers: ")] == [
            "Workers: 0 running, 1 desired",
            "Workers: 1 running, 1 desired",
        ]
    else:
        monkeypatch.setattr(Workers, "start_seconds", -1)
        with pytest.raises(OperationError, match="upload queue is not empty"):
            redrive.redrive(deployment, "name")


@pytest.mark.parametrize("workers", [{}, {"Workers": {}}], ids=["no stack", "stack whose creation failed"])
def test_redrive_moves_nothing_if_nothing_consumes_the_queue(
    deployment: Deployment, workers: dict[str, dict[str, str]]
) -> None:
    deployment.mappings = []
    deployment.stacks |= workers
    deployment.send(deployment.dead, UPLOAD)
    deployment.send(deployment.sweeps, _failed())
    with pytest.raises(OperationError, match=r"Nothing consumes the upload queue of name.*make deploy"):
        redrive.redrive(deployment, "name")
    assert deployment.sweep_events == []
    assert redrive.queue_depth(deployment.sqs, deployment.dead) == 1


def test_redrive_starts_each_sweep_once_where_it_stopped(deployment: Deployment) -> None:
    deployment.send(deployment.sweeps, _failed(), "not JSON", _failed(progress=PROGRESS), '{"source": "aws.scheduler"}')
    assert redrive.redrive(deployment, "name") == 0
    assert sorted(deployment.sweep_events, key=len) == [{}, {"progress": PROGRESS}]
    assert redrive.queue_depth(deployment.sqs, deployment.sweeps) == 0


def test_redrive_keeps_the_message_when_the_sweep_cannot_start(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def invoke(**_: Any) -> None:
        raise PermissionError

    deployment.send(deployment.sweeps, _failed())
    monkeypatch.setattr(deployment, "invoke", invoke)
    with pytest.raises(PermissionError):
        redrive.redrive(deployment, "name")
    assert redrive.queue_depth(deployment.sqs, deployment.sweeps) == 1


def test_redrive_works_without_the_stack_cron(deployment: Deployment) -> None:
    del deployment.stacks["Cron"]
    deployment.send(deployment.dead, UPLOAD)
    assert redrive.redrive(deployment, "name") == 0
    assert len(deployment.moved) == 1


def test_redrive_reports_messages_that_are_in_flight_and_waiting(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.send(deployment.uploads, UPLOAD, UPLOAD, UPLOAD)
    deployment.sqs.receive_message(QueueUrl=deployment.uploads)
    assert redrive.redrive(deployment, "name") == 0
    printed = capsys.readouterr().out
    assert "Messages in the upload queue: 2 waiting, 1 in flight" in printed
    assert "The dead-letter queues are empty." in printed
