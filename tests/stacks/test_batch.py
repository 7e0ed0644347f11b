"""The Batch stack: compute environments, queues, and job definitions."""

from typing import Any

import pytest

from photos.limits import MAX_ADDRESS_SPACE
from tests.templates import Resources, as_list, of_type, statements


def _properties(batch: Resources, kind: str, name: str) -> dict[str, Any]:
    resources = of_type(batch, f"AWS::Batch::{kind}")
    (properties,) = [resource["Properties"] for key, resource in resources.items() if key.startswith(name)]
    return dict(properties)


def _environments(batch: Resources, queue: str) -> list[dict[str, Any]]:
    """The compute resources of a queue, in order."""
    order = sorted(_properties(batch, "JobQueue", queue)["ComputeEnvironmentOrder"], key=lambda entry: entry["Order"])
    names = [entry["ComputeEnvironment"]["Fn::GetAtt"][0] for entry in order]
    return [batch[name]["Properties"]["ComputeResources"] for name in names]


@pytest.mark.guarantee("Cheap when idle")
def test_pages_run_on_spot_first_and_pdfs_on_fargate_without_instances_when_idle(batch: Resources) -> None:
    pages, pdfs = _environments(batch, "Queue"), _environments(batch, "FargateQueue")
    assert [environment["Type"] for environment in pages] == ["SPOT", "EC2"]
    assert all(it["MinvCpus"] == 0 and "DesiredvCpus" not in it for it in pages)
    assert [environment["Type"] for environment in pdfs] == ["FARGATE"]


def test_jobs_time_out_and_do_not_wait_forever_for_capacity(batch: Resources) -> None:
    # A slice of a remake takes about a minute, but more if its photos are expensive or the bucket has millions.
    for name, seconds in (("Page", 600), ("Bind", 600), ("Remake", 6 * 3600)):
        assert _properties(batch, "JobDefinition", name)["Timeout"]["AttemptDurationSeconds"] == seconds
    for queue in of_type(batch, "AWS::Batch::JobQueue").values():
        (limit,) = queue["Properties"]["JobStateTimeLimitActions"]
        assert (limit["Action"], limit["State"]) == ("CANCEL", "RUNNABLE")


def test_everything_runs_on_graviton(batch: Resources) -> None:
    for environment in of_type(batch, "AWS::Batch::ComputeEnvironment").values():
        types = environment["Properties"]["ComputeResources"].get("InstanceTypes", [])
        assert all(name.partition(".")[0].endswith("g") for name in types)
    platform = _properties(batch, "JobDefinition", "Bind")["ContainerProperties"]["RuntimePlatform"]
    assert platform == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}


@pytest.mark.parametrize(("name", "retried"), [("Page", []), ("Bind", []), ("Remake", ["1"])])
def test_jobs_are_retried_after_spot_interruptions_and_when_the_program_asks_for_it(
    batch: Resources, name: str, retried: list[str]
) -> None:
    strategy = _properties(batch, "JobDefinition", name)["RetryStrategy"]
    interruption, *statuses, otherwise = strategy["EvaluateOnExit"]
    assert interruption == {"Action": "RETRY", "OnStatusReason": "Host EC2*"}
    assert statuses == [{"Action": "RETRY", "OnExitCode": status} for status in retried]
    assert otherwise == {"Action": "EXIT", "OnReason": "*"}
    assert 1 < strategy["Attempts"] <= 5


def test_remake_fits_the_smallest_instance_and_its_decoder(batch: Resources) -> None:
    container = _properties(batch, "JobDefinition", "Remake")["ContainerProperties"]
    resources = {need["Type"]: float(need["Value"]) for need in container["ResourceRequirements"]}
    assert resources["VCPU"] == 1  # of an instance with 2 GiB, about 1,800 MiB remain for jobs
    assert MAX_ADDRESS_SPACE / 2**20 + 300 < resources["MEMORY"] < 1_750
    assert container["ReadonlyRootFilesystem"] is True


@pytest.mark.guarantee("Least privilege")
@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("PageRole", ["/*/*.webp", "/albums/*/manifest.json"], ["/albums/*/pages/*"]),
        ("BindRole", ["/albums/*/manifest.json", "/albums/*/pages/*"], ["/albums/*/album.pdf"]),
        ("RemakeRole", ["/*", "/remakes/*"], ["/*/*.webp"]),
    ],
)
def test_job_reads_and_writes_only_its_objects(
    batch: Resources, role: str, reads: list[str], writes: list[str]
) -> None:
    objects = {
        action: sorted(arn["Fn::Join"][1][-1] for arn in as_list(statement["Resource"]))
        for statement in statements(batch, role)
        for action in as_list(statement["Action"])
        if action in ("s3:GetObject", "s3:PutObject")
    }
    assert objects == {"s3:GetObject": reads, "s3:PutObject": writes}
