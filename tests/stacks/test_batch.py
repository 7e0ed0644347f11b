"""The Batch stack: compute environments, queues, and job definitions."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template

from tests.templates import Resources, as_list, of_type, read_resources, read_template, statements


@pytest.fixture(scope="module")
def batch(assembly: Path) -> Resources:
    return read_resources(assembly, "Batch")


@pytest.fixture(scope="module")
def template(assembly: Path) -> Template:
    return Template.from_string(json.dumps(read_template(assembly, "Batch")))


def _properties(batch: Resources, kind: str, name: str) -> dict[str, Any]:
    resources = of_type(batch, f"AWS::Batch::{kind}")
    (properties,) = [resource["Properties"] for key, resource in resources.items() if key.startswith(name)]
    return dict(properties)


def _environments(batch: Resources, queue: str) -> list[dict[str, Any]]:
    """The compute resources of a queue, in order."""
    order = sorted(_properties(batch, "JobQueue", queue)["ComputeEnvironmentOrder"], key=lambda entry: entry["Order"])
    names = [entry["ComputeEnvironment"]["Fn::GetAtt"][0] for entry in order]
    return [batch[name]["Properties"]["ComputeResources"] for name in names]


def test_output_job_queue_is_the_one_for_the_page_job(assembly: Path) -> None:
    queue = read_template(assembly, "Batch")["Outputs"]["JobQueue"]["Value"]["Fn::GetAtt"][0]
    assert queue.startswith("Queue")


def test_one_image_runs_on_ec2_and_on_fargate(batch: Resources) -> None:
    page, bind = (_properties(batch, "JobDefinition", name) for name in ("Page", "Bind"))
    assert (page["PlatformCapabilities"], bind["PlatformCapabilities"]) == (["EC2"], ["FARGATE"])
    assert page["ContainerProperties"]["Image"] == bind["ContainerProperties"]["Image"]


@pytest.mark.guarantee("Cheap when idle")
def test_page_queue_tries_spot_first_and_has_no_instances_when_idle(batch: Resources) -> None:
    environments = _environments(batch, "Queue")
    assert [environment["Type"] for environment in environments] == ["SPOT", "EC2"]
    assert all(it["MinvCpus"] == 0 and "DesiredvCpus" not in it for it in environments)


def test_bind_queue_uses_fargate_only(batch: Resources) -> None:
    assert [environment["Type"] for environment in _environments(batch, "FargateQueue")] == ["FARGATE"]


def test_everything_runs_on_graviton(batch: Resources) -> None:
    for environment in of_type(batch, "AWS::Batch::ComputeEnvironment").values():
        types = environment["Properties"]["ComputeResources"].get("InstanceTypes", [])
        assert all(name.partition(".")[0].endswith("g") for name in types)
    platform = _properties(batch, "JobDefinition", "Bind")["ContainerProperties"]["RuntimePlatform"]
    assert platform == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}


def test_jobs_time_out_and_do_not_wait_forever_for_capacity(template: Template) -> None:
    template.all_resources_properties("AWS::Batch::JobDefinition", {"Timeout": {"AttemptDurationSeconds": 600}})
    cancel = Match.object_like({"Action": "CANCEL", "State": "RUNNABLE"})
    template.all_resources_properties("AWS::Batch::JobQueue", {"JobStateTimeLimitActions": [cancel]})


def test_jobs_are_retried_only_after_a_spot_interruption(template: Template) -> None:
    rules = [{"Action": "RETRY", "OnStatusReason": "Host EC2*"}, {"Action": "EXIT", "OnReason": "*"}]
    template.all_resources_properties(
        "AWS::Batch::JobDefinition", {"RetryStrategy": {"Attempts": 5, "EvaluateOnExit": rules}}
    )


@pytest.mark.guarantee("Least privilege")
@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("PageRole", ["/*/*.webp", "/albums/*/manifest.json"], ["/albums/*/pages/*"]),
        ("BindRole", ["/albums/*/manifest.json", "/albums/*/pages/*"], ["/albums/*/album.pdf"]),
    ],
)
def test_job_reads_and_writes_only_its_objects(
    batch: Resources, role: str, reads: list[str], writes: list[str]
) -> None:
    objects = {
        statement["Action"]: [arn["Fn::Join"][1][-1] for arn in as_list(statement["Resource"])]
        for statement in statements(batch, role)
        if statement["Action"] in ("s3:GetObject", "s3:PutObject")
    }
    assert objects == {"s3:GetObject": reads, "s3:PutObject": writes}


def test_jobs_log_to_the_log_group_of_the_stack(batch: Resources) -> None:
    (group,) = of_type(batch, "AWS::Logs::LogGroup")
    for definition in of_type(batch, "AWS::Batch::JobDefinition").values():
        options = definition["Properties"]["ContainerProperties"]["LogConfiguration"]["Options"]
        assert options["awslogs-group"] == {"Ref": group}
