"""A comparison and sizes with round numbers, so that costs can be computed by hand."""

from dataclasses import replace

import pytest

from operations.compare.costs.assumptions import Assumptions, read_assumptions
from operations.compare.costs.model import Model
from operations.compare.costs.sizes import FunctionSize, Sizes, WorkerSize
from operations.compare.measurement import OPTIONS, Comparison, Measurement, Option

_SERVICE_CALLS = {"s3:GetObject": 1.0, "s3:PutObject": 2.0, "dynamodb:UpdateItem": 1.0}


@pytest.fixture
def comparison() -> Comparison:
    """A comparison in which a photo takes 0.2 s of CPU time."""

    def measure(option: Option) -> Measurement:
        calls = (
            _SERVICE_CALLS | {"sqs:ReceiveMessage": 0.2} | ({"sqs:DeleteMessage": 1.0} if option != "remake" else {})
        )
        return Measurement(
            option=option,
            ready=8,
            rejected=2,
            thumbnails=16,
            calls_per_photo=calls,
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
    function = FunctionSize(memory_gb=2, architecture="arm64", batch_size=5, concurrency=5, traced=False)
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
        s3_seconds=0,
        dynamodb_seconds=0,
        sqs_seconds=0,
        init_seconds_lambda=0,
        start_seconds_fargate=30,
        image_gb=0,
        worker_log_bytes=0,
        lambda_log_bytes=0,
    )


@pytest.fixture
def model(comparison: Comparison, sizes: Sizes, assumptions: Assumptions) -> Model:
    """The model of these."""
    return Model.of(comparison, sizes, assumptions)
