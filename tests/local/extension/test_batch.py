"""AWS Batch in the emulator: its resources by CloudFormation, and the life of jobs, with real processes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import batch as service
from ministack.services import cloudwatch_logs
from ministack.services.cloudformation.provisioners import (
    _DEFERRED_PREDECESSOR_DELETES,
    _RESOURCE_HANDLERS,
    _update_resource,
)

from local.extension import batch_jobs, batch_resources, container_images
from local.extension.dockerfile import Dockerfile

_IMAGE = "registry/test:1"


class Batch:
    """The service as its callers see it, and stacks of one resource."""

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        status, _, body = service._DISPATCH[f"/v1/{operation.lower()}"](parameters)
        answer: dict[str, Any] = json.loads(body)
        assert status == 200, answer
        return answer

    def refusal(self, operation: str, **parameters: Any) -> str:
        status, _, body = service._DISPATCH[f"/v1/{operation.lower()}"](parameters)
        assert status == 400
        return str(json.loads(body)["message"])

    def create(self, kind: str, logical_id: str, **properties: Any) -> str:
        arn: str = _RESOURCE_HANDLERS[f"AWS::Batch::{kind}"]["create"](logical_id, properties, "stack")[0]
        return arn

    def delete(self, kind: str, arn: str) -> None:
        _RESOURCE_HANDLERS[f"AWS::Batch::{kind}"]["delete"](arn, {})

    def environment(self, logical_id: str, kind: str = "SPOT", vcpus: int = 2) -> str:
        resources = {"Type": kind, "MaxvCpus": vcpus, "Subnets": ["subnet-1"]}
        return self.create("ComputeEnvironment", logical_id, Type="managed", ComputeResources=resources)

    def queue(self, logical_id: str, *environments: str) -> str:
        order = [{"ComputeEnvironment": arn, "Order": number} for number, arn in enumerate(environments, 1)]
        return self.create("JobQueue", logical_id, Priority=1, ComputeEnvironmentOrder=order)

    def definition(self, program: str, logical_id: str = "Job", **properties: Any) -> str:
        container = {
            "Image": _IMAGE,
            "Command": ["python", "-c", program, "Ref::what"],
            "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "64"}],
            "LogConfiguration": {
                "LogDriver": "awslogs",
                "Options": {"awslogs-group": "jobs", "awslogs-stream-prefix": "test"},
            },
        }
        given = {"PlatformCapabilities": ["EC2"], "ContainerProperties": container, **properties}
        return self.create("JobDefinition", logical_id, Type="container", **given)

    def submit(self, queue: str, definition: str, **more: Any) -> str:
        job: str = self.call("SubmitJob", jobName="job", jobQueue=queue, jobDefinition=definition, **more)["jobId"]
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        (found,) = self.call("DescribeJobs", jobs=[job_id])["jobs"]
        return found  # type: ignore[no-any-return]

    def reaches(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """The job, when it has one of these statuses."""
        deadline = time.monotonic() + 20
        while (job := self.job(job_id))["status"] not in statuses:
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        return self.reaches(job_id, "SUCCEEDED", "FAILED")

    def log(self, job: dict[str, Any]) -> list[str]:
        deadline = time.monotonic() + 5
        stream = {"logGroupName": "jobs", "logStreamName": job["container"]["logStreamName"]}
        while not (events := json.loads(cloudwatch_logs._get_log_events(stream)[2])["events"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return [event["message"] for event in events]


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batch]:
    for table in (service._DISPATCH, _RESOURCE_HANDLERS, container_images._images):
        for name, value in table.items():
            monkeypatch.setitem(table, name, value)  # as they are now they will be again
    monkeypatch.setenv("GATEWAY_PORT", "1")
    with request_scope("111122223333", "us-east-1"):
        service.reset()
        batch_resources.extend()
        batch_jobs.extend()
        cloudwatch_logs._create_log_group({"logGroupName": "jobs"})
        container_images._images["test:1"] = container_images.Image(tmp_path, Dockerfile({}, (), ()))
        yield Batch()
        for queue in [queue["jobQueueArn"] for queue in service._job_queues.values()]:
            Batch().delete("JobQueue", queue)
        del cloudwatch_logs._log_groups["jobs"]
        service.reset()


@pytest.fixture
def queue(batch: Batch) -> str:
    return batch.queue("Queue", batch.environment("Hosts"))


def test_a_job_runs_its_program_with_its_parameters(batch: Batch, queue: str) -> None:
    program = "import os, sys; print(sys.argv[1], os.environ['AWS_BATCH_JOB_ATTEMPT'], os.environ.get('SIZE'))"
    override = {"environment": [{"name": "SIZE", "value": "9"}]}
    job = batch.ended(
        batch.submit(queue, batch.definition(program), parameters={"what": "hello"}, containerOverrides=override)
    )
    assert (job["status"], job["container"]["exitCode"]) == ("SUCCEEDED", 0)
    assert job["container"]["logStreamName"].startswith("test/default/")
    assert batch.log(job) == ["hello 1 9"]
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]


def test_a_program_that_fails_fails_its_job(batch: Batch, queue: str) -> None:
    job = batch.ended(batch.submit(queue, batch.definition("import sys; sys.exit(3)")))
    assert (job["status"], job["container"]["exitCode"], len(job["attempts"])) == ("FAILED", 3, 1)


def test_children_of_an_array_have_their_index_and_make_it_succeed(batch: Batch, queue: str, tmp_path: Path) -> None:
    program = "import os; open(os.environ['AWS_BATCH_JOB_ARRAY_INDEX'], 'w')"
    parent = batch.submit(queue, batch.definition(program), arrayProperties={"size": 3})
    job = batch.ended(parent)
    assert (job["status"], job["arrayProperties"]) == ("SUCCEEDED", {"size": 3, "statusSummary": {"SUCCEEDED": 3}})
    assert {file.name for file in tmp_path.iterdir()} == {"0", "1", "2"}
    listed = batch.call("ListJobs", arrayJobId=parent, jobStatus="SUCCEEDED")["jobSummaryList"]
    assert [child["jobId"] for child in listed] == [f"{parent}:{index}" for index in range(3)]


def test_one_failed_child_fails_the_array_when_all_are_done(batch: Batch, queue: str) -> None:
    program = "import os, sys; sys.exit(os.environ['AWS_BATCH_JOB_ARRAY_INDEX'] == '0')"
    job = batch.ended(batch.submit(queue, batch.definition(program), arrayProperties={"size": 3}))
    assert job["status"] == "FAILED"
    assert job["arrayProperties"]["statusSummary"] == {"FAILED": 1, "SUCCEEDED": 2}


def test_no_more_run_at_once_than_the_environment_has_vcpus(batch: Batch, queue: str, tmp_path: Path) -> None:
    # Each child counts who is there with it.
    program = (
        "import os, time; name = os.environ['AWS_BATCH_JOB_ARRAY_INDEX']; open(name + '.in', 'w'); time.sleep(0.4);"
        "found = len([file for file in os.listdir() if file.endswith('.in')]);"
        "os.rename(name + '.in', name + '.out'); open(name + '.out', 'w').write(str(found))"
    )
    assert (
        batch.ended(batch.submit(queue, batch.definition(program), arrayProperties={"size": 5}))["status"]
        == "SUCCEEDED"
    )
    together = [int(file.read_text()) for file in tmp_path.glob("*.out")]
    assert len(together) == 5
    assert max(together) == 2


def test_a_job_waits_for_what_it_depends_on(batch: Batch, queue: str, tmp_path: Path) -> None:
    first = batch.submit(queue, batch.definition("import time; time.sleep(0.5)"), arrayProperties={"size": 2})
    second = batch.submit(queue, batch.definition("", "Second"), dependsOn=[{"jobId": first}])
    assert batch.reaches(second, "PENDING", "RUNNABLE", "RUNNING", "SUCCEEDED")["status"] == "PENDING"
    done = batch.ended(second)
    assert done["status"] == "SUCCEEDED"
    assert done["startedAt"] >= batch.job(first)["stoppedAt"]


def test_what_depends_on_a_failed_job_fails(batch: Batch, queue: str) -> None:
    failing = batch.submit(queue, batch.definition("exit(1)"), arrayProperties={"size": 2})
    job = batch.ended(batch.submit(queue, batch.definition("", "Second"), dependsOn=[{"jobId": failing}]))
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Dependent Job failed", [])


_RECLAIMED_ONLY = {
    "Attempts": 3,
    "EvaluateOnExit": [{"Action": "RETRY", "OnStatusReason": "Host EC2*"}, {"Action": "EXIT", "OnReason": "*"}],
}
_KILLED_ONCE = "import os, signal; os.environ['AWS_BATCH_JOB_ATTEMPT'] == '1' and os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize(
    ("program", "strategy", "status", "attempts"),
    [
        (_KILLED_ONCE, _RECLAIMED_ONLY, "SUCCEEDED", 2),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", _RECLAIMED_ONLY, "FAILED", 3),
        ("exit(1)", _RECLAIMED_ONLY, "FAILED", 1),
        ("exit(1)", {"Attempts": 2}, "FAILED", 2),
        ("exit(1)", {"Attempts": 3, "EvaluateOnExit": [{"Action": "EXIT", "OnExitCode": "1"}]}, "FAILED", 1),
        ("exit(1)", {"Attempts": 3, "EvaluateOnExit": [{"Action": "EXIT", "OnExitCode": "2"}]}, "FAILED", 3),
    ],
    ids=["reclaimed once", "reclaimed always", "fails", "fails, all retried", "rule fits", "no rule fits"],
)
def test_attempts(batch: Batch, queue: str, program: str, strategy: dict[str, Any], status: str, attempts: int) -> None:
    job = batch.ended(batch.submit(queue, batch.definition(program, RetryStrategy=strategy)))
    assert (job["status"], len(job["attempts"])) == (status, attempts)


def test_on_fargate_no_host_is_reclaimed(batch: Batch) -> None:
    queue = batch.queue("Queue", batch.environment("Fargate", "FARGATE"))
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    definition = batch.definition(program, PlatformCapabilities=["FARGATE"], RetryStrategy=_RECLAIMED_ONLY)
    job = batch.ended(batch.submit(queue, definition))
    assert (job["status"], len(job["attempts"]), job["container"]["exitCode"]) == ("FAILED", 1, 137)


def test_a_job_that_takes_too_long_is_ended_and_not_tried_again(batch: Batch, queue: str) -> None:
    definition = batch.definition("import time; time.sleep(60)", RetryStrategy={"Attempts": 3})
    job = batch.ended(batch.submit(queue, definition, timeout={"attemptDurationSeconds": 1}))
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["statusReason"] == "Job attempt duration exceeded timeout"


def test_terminating_ends_what_runs_and_what_waits(batch: Batch, queue: str) -> None:
    definition = batch.definition("import time; time.sleep(60)")
    parent = batch.submit(queue, definition, arrayProperties={"size": 4})
    batch.reaches(f"{parent}:0", "RUNNING")
    batch.call("TerminateJob", jobId=parent, reason="enough")
    assert batch.ended(parent)["status"] == "FAILED"
    children = [batch.job(f"{parent}:{index}") for index in range(4)]
    assert {(child["status"], child["statusReason"]) for child in children} == {("FAILED", "enough")}


def test_cancelling_lets_what_runs_go_on(batch: Batch, queue: str) -> None:
    definition = batch.definition("import time; time.sleep(1)")
    parent = batch.submit(queue, definition, arrayProperties={"size": 3})
    deadline = time.monotonic() + 10
    while batch.job(parent)["arrayProperties"]["statusSummary"].get("RUNNING") != 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    batch.call("CancelJob", jobId=parent, reason="changed my mind")
    assert batch.ended(parent)["arrayProperties"]["statusSummary"] == {"SUCCEEDED": 2, "FAILED": 1}


def test_jobs_end_with_their_queue(batch: Batch, queue: str) -> None:
    job = batch.submit(queue, batch.definition("import time; time.sleep(60)"))
    batch.reaches(job, "RUNNING")
    batch.delete("JobQueue", queue)
    assert batch.ended(job)["statusReason"] == "The job queue was deleted"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"jobQueue": "none"}, "JobQueue none not found"),
        ({"jobDefinition": "none"}, "JobDefinition none not found"),
        ({"arrayProperties": {"size": 1}}, "Array size must be from 2 to 10000, not 1"),
        ({"dependsOn": [{"jobId": "none"}]}, "unknown job"),
    ],
)
def test_what_is_not_accepted(batch: Batch, queue: str, change: dict[str, Any], says: str) -> None:
    request = {"jobName": "job", "jobQueue": queue, "jobDefinition": batch.definition("")}
    assert says in batch.refusal("SubmitJob", **{**request, **change})


def test_a_fargate_job_is_not_accepted_by_a_queue_of_hosts(batch: Batch, queue: str) -> None:
    definition = batch.definition("", PlatformCapabilities=["FARGATE"])
    says = batch.refusal("SubmitJob", jobName="job", jobQueue=queue, jobDefinition=definition)
    assert says == "A job definition for FARGATE cannot run in a queue whose environment is SPOT"


def test_a_job_without_an_image_or_a_log_group_fails_and_says_so(batch: Batch, queue: str) -> None:
    definition = batch.definition("")
    del container_images._images["test:1"]
    job = batch.ended(batch.submit(queue, definition))
    assert job["status"] == "FAILED"
    assert "no build has pushed this image" in job["container"]["reason"]


def test_an_environment_that_a_queue_uses_cannot_be_deleted(batch: Batch) -> None:
    environment = batch.environment("Hosts")
    queue = batch.queue("Queue", environment)
    with pytest.raises(ValueError, match="existing JobQueue relationship"):
        batch.delete("ComputeEnvironment", environment)
    batch.delete("JobQueue", queue)
    batch.delete("ComputeEnvironment", environment)
    assert batch.call("DescribeComputeEnvironments")["computeEnvironments"] == []


@pytest.mark.parametrize(
    ("kind", "properties", "says"),
    [
        ("JobQueue", {"Priority": 1, "ComputeEnvironmentOrder": [], "Colour": "red"}, "unknown property Colour"),
        ("JobQueue", {"Priority": 1, "ComputeEnvironmentOrder": [{"Order": 1}]}, "Missing required parameter"),
    ],
)
def test_what_the_api_does_not_know_stops_a_stack(
    batch: Batch, kind: str, properties: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        batch.create(kind, "Any", **properties)


def test_a_changed_definition_is_a_new_revision(batch: Batch) -> None:
    first = batch.definition("1")
    second = batch.definition("2")
    assert (first.rpartition(":")[2], second.rpartition(":")[2]) == ("1", "2")
    batch.delete("JobDefinition", first)
    active = batch.call("DescribeJobDefinitions", status="ACTIVE")["jobDefinitions"]
    assert [found["jobDefinitionArn"] for found in active] == [second]


def test_a_changed_environment_is_replaced_and_its_queue_moves(batch: Batch) -> None:
    kind, queue_kind = "AWS::Batch::ComputeEnvironment", "AWS::Batch::JobQueue"
    resources = {"Type": "SPOT", "MaxvCpus": 2, "Subnets": ["subnet-1"]}
    old = {"Type": "managed", "ComputeResources": resources}
    new = {"Type": "managed", "ComputeResources": {**resources, "MaxvCpus": 4}}
    before = batch.environment("Hosts")
    queue = batch.queue("Queue", before)
    deleted_later = _DEFERRED_PREDECESSOR_DELETES.set([])
    try:
        after, _ = _update_resource(kind, before, old, new, "stack", "Hosts")
        order = [{"ComputeEnvironment": after, "Order": 1}]
        moved, _ = _update_resource(queue_kind, queue, {}, {"ComputeEnvironmentOrder": order}, "stack", "Queue")
    finally:
        _DEFERRED_PREDECESSOR_DELETES.reset(deleted_later)
    assert after != before and moved == queue
    batch.delete("ComputeEnvironment", before)
    (left,) = batch.call("DescribeComputeEnvironments")["computeEnvironments"]
    assert (left["computeEnvironmentArn"], left["computeResources"]["maxvCpus"]) == (after, 4)
