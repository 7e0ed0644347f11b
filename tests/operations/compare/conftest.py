"""A comparison and sizes with round numbers, so that costs can be computed by hand."""

from dataclasses import replace

import pytest

from operations.compare.costs.assumptions import Assumptions, read_assumptions
from operations.compare.costs.model import Model
from operations.compare.costs.sizes import FunctionSize, Sizes, WorkerSize
from operations.compare.measurement import OPTIONS, Comparison, Measurement, Option
from operations.cost.usage import ActionUsage, RecordedUsage
from tools.benchmark.results import PipelineResult

_PHOTO = {"s3-put": 3.0, "s3-get": 1.0, "dynamodb-write-units": 2.0, "sqs-requests": 1.0, "log-bytes/Thumbnails": 0.0}


@pytest.fixture
def comparison() -> Comparison:
    """A comparison in which a photo takes 0.2 s of CPU time."""

    def measure(option: Option) -> Measurement:
        return Measurement(
            option=option,
            ready=8,
            rejected=2,
            thumbnails=16,
            calls_per_photo={"s3:GetObject": 1.0, "s3:PutObject": 2.0},
            cpu_seconds_per_photo=0.2,
            peak_bytes=300 * 1024**2,
        )

    return Comparison(
        date="2026-11-28",
        target="sandbox",
        machine="x86_64, Linux, Python 3.13.5",
        files={"JPEG": 8, "not an image": 2},
        bytes_per_photo=300_000,
        measurements={option: measure(option) for option in OPTIONS},
    )


@pytest.fixture
def sizes() -> Sizes:
    """Sizes of one vCPU and 2 GB."""
    function = FunctionSize(memory_gb=2, architecture="arm64", batch_size=5, concurrency=5)
    task = WorkerSize(
        description="1 vCPU, 2 GB, arm64",
        hourly={"fargate-arm64-vcpu": 1, "fargate-arm64-gb": 2, "public-ipv4": 1},
        spot={"fargate-spot-arm64-vcpu": 1, "fargate-spot-arm64-gb": 2, "public-ipv4": 1},
        vcpus=1,
        memory_mib=2048,
        maximum=4,
        maximum_spot=4,
        photos_per_worker=50,
        idle_seconds=300,
    )
    instance = replace(
        task,
        description="c7g.medium",
        hourly={"c7g.medium": 1, "public-ipv4": 1},
        spot={"ec2-spot": 0.0363, "public-ipv4": 1},
        memory_mib=1664,
        maximum=2,
    )
    alarms = {"lambda": 8.0, "lambda-image": 8.0, "fargate": 13.0, "ec2": 15.0}
    return Sizes(function=function, fargate=task, ec2=instance, batch=replace(instance, idle_seconds=0), alarms=alarms)  # type: ignore[arg-type]


@pytest.fixture
def assumptions() -> Assumptions:
    """The assumptions of the project, without what makes sums hard to check by hand."""
    return replace(
        read_assumptions(),
        bursts_per_day=24,
        batch_fill=1,
        cpu_factor_lambda=1,
        cpu_factor_fargate=1,
        cpu_factor_ec2=1,
        cpu_factor_x86=1,
        init_seconds_lambda=0,
        start_seconds_fargate=30,
        image_gb=0,
    )


@pytest.fixture
def record() -> RecordedUsage:
    """A record without log lines. Lambda deletes the messages of a batch together, a worker each of them."""
    function = ActionUsage(each=_PHOTO, batch={"sqs-requests": 2, "lambda-requests/Thumbnails": 1})
    worker = ActionUsage(each=_PHOTO | {"sqs-requests": 2, "log-bytes/Workers": 0}, batch={"sqs-requests": 1})
    uploads = {"lambda": function, "lambda-image": function, "fargate": worker, "ec2": worker}
    return replace(RecordedUsage.read(), actions={"upload-s3": uploads})  # type: ignore[dict-item]


def pipeline_results(wait_ms: float, wait_ms_alone: float) -> list[PipelineResult]:
    """Return results of a pipeline that waits so long for each photo, of several at a time and of one."""
    waits = {3: wait_ms, 1: wait_ms_alone}
    return [PipelineResult(12, 4_000_000, 5, threads, 100 + wait, 100, 300, 5) for threads, wait in waits.items()]


@pytest.fixture
def model(comparison: Comparison, sizes: Sizes, assumptions: Assumptions, record: RecordedUsage) -> Model:
    """The model of these, in which no photo waits."""
    return Model.of(comparison, sizes, assumptions, record=record, results=pipeline_results(0, 0))
