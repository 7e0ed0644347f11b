"""AWS Batch in the emulator: resources by CloudFormation, and jobs as processes."""

import json
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
from tests.e2e.eventually import eventually

_IMAGE = "registry/test:1"


class Batch:
    """The API of Batch, and stacks with one resource."""

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        status, answer = self._call(operation, parameters)
        assert status == 200, answer
        return answer

    def rejection(self, operation: str, **parameters: Any) -> str:
        """Return the message of a call that fails with status 400."""
        status, answer = self._call(operation, parameters)
        assert status == 400, answer
        return str(answer["message"])

    def _call(self, operation: str, parameters: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, _, body = service._DISPATCH[f"/v1/{operation.lower()}"](parameters)
        return status, json.loads(body)

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

    def wait_for(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """Return the job when it has one of these statuses."""
        eventually(lambda: self.job(job_id)["status"] in statuses)
        return self.job(job_id)

    def finished(self, job_id: str) -> dict[str, Any]:
        return self.wait_for(job_id, "SUCCEEDED", "FAILED")

    def log(self, job: dict[str, Any]) -> list[str]:
        stream = {"logGroupName": "jobs", "logStreamName": job["container"]["logStreamName"]}
        events = eventually(lambda: json.loads(cloudwatch_logs._get_log_events(stream)[2])["events"])
        return [event["message"] for event in events]


@pytest.fixture
def batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batch]:
    for table in (service._DISPATCH, _RESOURCE_HANDLERS, container_images._images):
        for name, value in table.items():
            monkeypatch.setitem(table, name, value)  # restores each entry after the test
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


def test_job_runs_its_program_with_parameters(batch: Batch, queue: str) -> None:
    program = "import os, sys; print(sys.argv[1], os.environ['AWS_BATCH_JOB_ATTEMPT'], os.environ.get('SIZE'))"
    override = {"environment": [{"name": "SIZE", "value": "9"}]}
    job = batch.finished(
        batch.submit(queue, batch.definition(program), parameters={"what": "hello"}, containerOverrides=override)
    )
    assert (job["status"], job["container"]["exitCode"]) == ("SUCCEEDED", 0)
    assert job["container"]["logStreamName"].startswith("test/default/")
    assert batch.log(job) == ["hello 1 9"]
    assert job["createdAt"] <= job["startedAt"] <= job["stoppedAt"]


def test_job_sees_no_variable_of_the_shell(batch: Batch, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ECS tasks start their programs with the same code."""
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "hidden")
    job = batch.finished(batch.submit(queue, batch.definition("import os; print(*os.environ)")))
    assert "AWS_BATCH_JOB_ID" in batch.log(job)[0]
    assert "SECRET_OF_THE_SHELL" not in batch.log(job)[0]


def test_array_job_fails_when_all_children_ended_and_one_failed(batch: Batch, queue: str) -> None:
    program = "import os, sys; sys.exit(os.environ['AWS_BATCH_JOB_ARRAY_INDEX'] == '0')"
    job = batch.finished(batch.submit(queue, batch.definition(program), arrayProperties={"size": 3}))
    assert job["status"] == "FAILED"
    assert job["arrayProperties"]["statusSummary"] == {"FAILED": 1, "SUCCEEDED": 2}


def test_jobs_do_not_exceed_the_vcpus_of_the_environment(batch: Batch, queue: str, tmp_path: Path) -> None:
    # Each child counts the children that run at the same time.
    program = (
        "import os, time; name = os.environ['AWS_BATCH_JOB_ARRAY_INDEX']; open(name + '.in', 'w'); time.sleep(0.4);"
        "found = len([file for file in os.listdir() if file.endswith('.in')]);"
        "os.rename(name + '.in', name + '.out'); open(name + '.out', 'w').write(str(found))"
    )
    assert (
        batch.finished(batch.submit(queue, batch.definition(program), arrayProperties={"size": 5}))["status"]
        == "SUCCEEDED"
    )
    parallel = [int(file.read_text()) for file in tmp_path.glob("*.out")]
    assert len(parallel) == 5
    assert max(parallel) == 2


def test_job_waits_for_its_dependency_and_fails_with_it(batch: Batch, queue: str, tmp_path: Path) -> None:
    first = batch.submit(queue, batch.definition("import time; time.sleep(0.5)"), arrayProperties={"size": 2})
    second = batch.submit(queue, batch.definition("", "Second"), dependsOn=[{"jobId": first}])
    assert batch.wait_for(second, "PENDING", "RUNNABLE", "RUNNING", "SUCCEEDED")["status"] == "PENDING"
    done = batch.finished(second)
    assert done["status"] == "SUCCEEDED"
    assert done["startedAt"] >= batch.job(first)["stoppedAt"]

    failing = batch.submit(queue, batch.definition("exit(1)", "Third"), arrayProperties={"size": 2})
    job = batch.finished(batch.submit(queue, batch.definition("", "Fourth"), dependsOn=[{"jobId": failing}]))
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "Dependent Job failed", [])


_RECLAIMED_ONLY = {
    "Attempts": 3,
    "EvaluateOnExit": [{"Action": "RETRY", "OnStatusReason": "Host EC2*"}, {"Action": "EXIT", "OnReason": "*"}],
}
_KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
_KILLED_ONCE = "import os, signal; os.environ['AWS_BATCH_JOB_ATTEMPT'] == '1' and os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize(
    ("program", "platform", "strategy", "attempts", "exit_code"),
    [
        (_KILLED_ONCE, "EC2", _RECLAIMED_ONLY, 2, 0),
        (_KILLED, "EC2", _RECLAIMED_ONLY, 3, None),
        (_KILLED, "FARGATE", _RECLAIMED_ONLY, 1, 137),
        ("exit(3)", "EC2", _RECLAIMED_ONLY, 1, 3),
        ("exit(1)", "EC2", {"Attempts": 2}, 2, 1),
        ("exit(1)", "EC2", {"Attempts": 3, "EvaluateOnExit": [{"Action": "EXIT", "OnExitCode": "1"}]}, 1, 1),
        ("exit(1)", "EC2", {"Attempts": 3, "EvaluateOnExit": [{"Action": "EXIT", "OnExitCode": "2"}]}, 3, 1),
    ],
    ids=["reclaimed once", "reclaimed always", "Fargate", "fails", "all retried", "rule matches", "no rule matches"],
)
def test_job_is_retried_as_its_retry_strategy_requires(
    batch: Batch, program: str, platform: str, strategy: dict[str, Any], attempts: int, exit_code: int | None
) -> None:
    queue = batch.queue("Queue", batch.environment("Hosts", "FARGATE" if platform == "FARGATE" else "SPOT"))
    definition = batch.definition(program, PlatformCapabilities=[platform], RetryStrategy=strategy)
    job = batch.finished(batch.submit(queue, definition))
    assert job["status"] == ("SUCCEEDED" if exit_code == 0 else "FAILED")
    assert (len(job["attempts"]), job["container"].get("exitCode")) == (attempts, exit_code)


def test_job_is_stopped_and_not_retried_after_its_time_out(batch: Batch, queue: str) -> None:
    definition = batch.definition("import time; time.sleep(60)", RetryStrategy={"Attempts": 3})
    job = batch.finished(batch.submit(queue, definition, timeout={"attemptDurationSeconds": 1}))
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["statusReason"] == "Job attempt duration exceeded timeout"


def test_terminate_stops_running_and_waiting_jobs(batch: Batch, queue: str) -> None:
    definition = batch.definition("import time; time.sleep(60)")
    parent = batch.submit(queue, definition, arrayProperties={"size": 4})
    batch.wait_for(f"{parent}:0", "RUNNING")
    batch.call("TerminateJob", jobId=parent, reason="enough")
    assert batch.finished(parent)["status"] == "FAILED"
    children = [batch.job(f"{parent}:{index}") for index in range(4)]
    assert {(child["status"], child["statusReason"]) for child in children} == {("FAILED", "enough")}


def test_cancel_stops_waiting_jobs_only(batch: Batch, queue: str, tmp_path: Path) -> None:
    program = "import pathlib, time\nwhile not pathlib.Path('may-end').exists(): time.sleep(0.05)"
    parent = batch.submit(queue, batch.definition(program), arrayProperties={"size": 3})
    eventually(lambda: batch.job(parent)["arrayProperties"]["statusSummary"].get("RUNNING") == 2)
    batch.call("CancelJob", jobId=parent, reason="changed my mind")
    (tmp_path / "may-end").touch()
    assert batch.finished(parent)["arrayProperties"]["statusSummary"] == {"SUCCEEDED": 2, "FAILED": 1}


def test_deleting_a_queue_stops_its_jobs(batch: Batch, queue: str) -> None:
    job = batch.submit(queue, batch.definition("import time; time.sleep(60)"))
    batch.wait_for(job, "RUNNING")
    batch.delete("JobQueue", queue)
    assert batch.finished(job)["statusReason"] == "The job queue was deleted"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jobQueue": "none"}, "JobQueue none not found"),
        ({"jobDefinition": "none"}, "JobDefinition none not found"),
        ({"arrayProperties": {"size": 1}}, "not 1"),
        ({"dependsOn": [{"jobId": "none"}]}, "unknown job"),
    ],
)
def test_submit_rejects_an_invalid_job(batch: Batch, queue: str, change: dict[str, Any], message: str) -> None:
    request = {"jobName": "job", "jobQueue": queue, "jobDefinition": batch.definition("")}
    assert message in batch.rejection("SubmitJob", **{**request, **change})
    request["jobDefinition"] = batch.definition("", "Fargate", PlatformCapabilities=["FARGATE"])
    assert "FARGATE" in batch.rejection("SubmitJob", **request)


def test_job_fails_when_its_image_does_not_exist(batch: Batch, queue: str) -> None:
    definition = batch.definition("")
    del container_images._images["test:1"]
    job = batch.finished(batch.submit(queue, definition))
    assert job["status"] == "FAILED"
    assert "no build has pushed this image" in job["container"]["reason"]


def test_compute_environment_in_use_cannot_be_deleted(batch: Batch) -> None:
    environment = batch.environment("Hosts")
    queue = batch.queue("Queue", environment)
    with pytest.raises(ValueError, match="existing JobQueue relationship"):
        batch.delete("ComputeEnvironment", environment)
    batch.delete("JobQueue", queue)
    batch.delete("ComputeEnvironment", environment)
    assert batch.call("DescribeComputeEnvironments")["computeEnvironments"] == []


@pytest.mark.parametrize(
    ("kind", "properties", "message"),
    [
        ("JobQueue", {"Priority": 1, "ComputeEnvironmentOrder": [], "Colour": "red"}, "unknown property Colour"),
        ("JobQueue", {"Priority": 1, "ComputeEnvironmentOrder": [{"Order": 1}]}, "Missing required parameter"),
    ],
)
def test_stack_fails_when_the_api_rejects_properties(
    batch: Batch, kind: str, properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        batch.create(kind, "Any", **properties)


def test_changed_job_definition_is_a_new_revision(batch: Batch) -> None:
    first = batch.definition("1")
    second = batch.definition("2")
    assert (first.rpartition(":")[2], second.rpartition(":")[2]) == ("1", "2")
    batch.delete("JobDefinition", first)
    active = batch.call("DescribeJobDefinitions", status="ACTIVE")["jobDefinitions"]
    assert [found["jobDefinitionArn"] for found in active] == [second]


def test_changed_compute_environment_is_replaced_and_its_queue_updated(batch: Batch) -> None:
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
