"""Costs of the compute options, against values computed by hand."""

from dataclasses import replace
from math import ceil

import pytest

from operations.compare.costs.assumptions import Assumptions
from operations.compare.costs.billed_time import OPTIONS, Fleet
from operations.compare.costs.model import Model
from operations.compare.costs.sizes import Sizes
from operations.compare.measurement import Comparison
from operations.cost.usage import RecordedUsage
from operations.errors import OperationError
from tests.operations.compare.conftest import pipeline_results

_DAYS = 365 / 12


def test_function_is_billed_for_gb_seconds_and_requests(model: Model) -> None:
    # 10,000 photos of 0.2 s, with 2 GB and five in each request
    items = model.items("lambda", 10_000)
    assert items["lambda-arm64-gb-seconds"] == pytest.approx(10_000 * 0.2 * 2 * _DAYS)
    assert items["lambda-requests"] == pytest.approx(0.002 * _DAYS)
    polls = model.cost("lambda", 0, free_tier=False)
    messages = (10_000 + 2 * 2_000) * _DAYS * 0.40 / 1e6
    expected = 4_000 * _DAYS * 0.0000133334 + 2_000 * _DAYS * 0.20 / 1e6 + messages
    busy_share = 10_000 * 0.2 / 5 / 86_400  # Five functions receive messages; otherwise, the pollers find none.
    assert model.cost("lambda", 10_000, free_tier=False) == pytest.approx(expected + polls * (1 - busy_share))
    assert polls == pytest.approx(15 * 60 * 730 * 0.40 / 1e6)


def test_free_tier_covers_a_small_load_of_the_function(model: Model) -> None:
    assert model.cost("lambda", 5_000, free_tier=True) == 0  # 61,000 of 400,000 GB-seconds
    billed = 100_000 * 0.2 * 2 * _DAYS
    difference = model.cost("lambda", 100_000, free_tier=False) - model.cost("lambda", 100_000, free_tier=True)
    assert billed > 400_000
    requests, messages = 100_000 * _DAYS / 5 / 1e6, 1  # in millions; SQS has one million free messages, too
    assert difference == pytest.approx(400_000 * 0.0000133334 + requests * 0.20 + messages * 0.40)


def test_function_is_billed_by_the_millisecond(model: Model, assumptions: Assumptions) -> None:
    slower = replace(model, assumptions=replace(assumptions, cpu_factor_lambda=1.0001))
    seconds = ceil(5 * 0.20002 * 1000) / 1000
    assert slower.items("lambda", 500)["lambda-arm64-gb-seconds"] == pytest.approx(100 * seconds * 2 * _DAYS)


def test_function_is_billed_for_cold_starts_of_each_burst(model: Model, assumptions: Assumptions) -> None:
    cold = replace(model, assumptions=replace(assumptions, init_seconds_lambda=1))

    def added(photos: int) -> float:
        return sum(
            sign * it.items("lambda", photos)["lambda-arm64-gb-seconds"] for sign, it in ((1, cold), (-1, model))
        )

    assert added(24) == pytest.approx(24 * 1 * 2 * _DAYS)  # one environment for each burst of one photo
    assert added(24_000) == pytest.approx(24 * 5 * 2 * _DAYS)  # the maximum concurrency for each burst of 1,000
    assert added(10_000_000) == 0  # always busy


def test_function_with_less_memory_takes_longer_for_cpu_time_only(model: Model, sizes: Sizes) -> None:
    half = replace(sizes.function, memory_gb=1769 / 2048)
    waiting = {option: replace(work, wait_seconds=0.1) for option, work in model.work.items()}
    smaller = replace(model, work=waiting, sizes=replace(sizes, function=half))
    assert smaller.photo_seconds("lambda") == pytest.approx(2 * 0.2 + 0.1)


def test_task_that_is_always_busy_is_billed_for_each_hour(model: Model) -> None:
    one_task = replace(model.fleet("fargate-on-demand"), maximum=1)
    items = model.fleet_items("fargate-on-demand", one_task, 86_400 / 0.2)
    task_hours = 730
    hourly = 0.03238 + 2 * 0.00356 + 0.005
    compute = {key: items[key] for key in one_task.hourly}
    assert model.charge(compute, free_tier=False) == pytest.approx(task_hours * hourly)


_FLEET = Fleet(hourly={}, maximum=4, photos_per_worker=50, runs_per_day=10, overhead_seconds=100, photo_seconds=0.5)


@pytest.mark.parametrize(
    ("fleet", "photos_per_day", "seconds"),
    [
        (_FLEET, 0, 0),
        (_FLEET, 3, 3 * 100.5),  # fewer photos than runs: each photo starts a worker
        (_FLEET, 500, 10 * 125),  # one worker for the 50 photos of each run
        (_FLEET, 510, 10 * 2 * 100 + 255),  # 51 photos start two
        (_FLEET, 10_000, 10 * 4 * 100 + 5_000),  # at most four
        (_FLEET, 690_000, 4 * 86_400),  # no time to stop between the runs
        (_FLEET, 1_000_000, 500_000),  # more than four workers can do in a day
        (replace(_FLEET, overhead_seconds=10), 10, 10 * 60),  # a minute at least
    ],
)
def test_workers_run_for_start_work_and_idle_time(fleet: Fleet, photos_per_day: int, seconds: float) -> None:
    assert fleet.worker_seconds(photos_per_day) == pytest.approx(seconds)


def test_workers_are_billed_from_their_start_until_they_stop(model: Model, assumptions: Assumptions) -> None:
    slow = replace(assumptions, start_seconds_fargate=1, start_seconds_ec2=10, stop_seconds_ec2=100)
    model = replace(model, assumptions=replace(slow, stop_seconds_batch=1_000))
    idle = 300  # until the alarm stops the tasks
    assert model.fleet("fargate").overhead_seconds == 1 + idle
    assert model.fleet("ec2").overhead_seconds == 10 + idle + 100
    assert model.fleet("batch-nightly").overhead_seconds == 10 + 1_000


def test_spot_capacity_costs_the_share_of_its_price(model: Model) -> None:
    assert model.charge(model.fleet("ec2").hourly, free_tier=False) == pytest.approx(0.0363 + 0.005)
    assert model.charge(model.fleet("ec2-spot").hourly, free_tier=False) == pytest.approx(0.4 * 0.0363 + 0.005)
    assert model.cost("fargate", 100, free_tier=False) < model.cost("fargate-on-demand", 100, free_tier=False)


def test_only_alarms_beyond_the_free_ones_are_charged(model: Model) -> None:
    # `lambda` uses 8 of 10 free alarms, so 3 of the 5 more that `fargate` has are charged.
    assert model.cost("fargate", 0, free_tier=True) == pytest.approx(0.30)
    assert model.cost("fargate", 0, free_tier=False) == pytest.approx(0.50)
    assert model.cost("batch-nightly", 0, free_tier=True) == 0


def test_lightsail_needs_a_bundle_with_enough_memory_and_as_many_as_the_load_fills(model: Model) -> None:
    capacity = 2 * 0.20 * 730 * 3600 / 0.2
    assert model.bundles()["small_3_0"] == pytest.approx(capacity)
    assert not {"nano_3_0", "micro_3_0"} & model.bundles().keys()
    assert model.items("lightsail", 0)["lightsail-small_3_0"] == 1
    twice = model.items("lightsail", capacity / _DAYS + 1)
    assert twice["lightsail-small_3_0"] == 2


def test_shared_cost_prices_the_recorded_requests(model: Model) -> None:
    assert model.shared_cost(1_000_000) == pytest.approx(3 * 5.00 + 1 * 0.40 + 2 * 0.625)


def test_consumers_of_the_queue_overlap_photos_and_a_job_does_not(
    comparison: Comparison, sizes: Sizes, assumptions: Assumptions
) -> None:
    model = Model.of(comparison, sizes, assumptions, results=pipeline_results(20, 100))
    seconds = {option: model.photo_seconds(option) for option in OPTIONS}
    jobs = {option for option in OPTIONS if option.startswith("batch")}
    assert [seconds.pop(option) for option in jobs] == pytest.approx([0.3] * len(jobs))
    assert list(seconds.values()) == pytest.approx([0.22] * len(seconds))


def test_job_reads_each_item_and_needs_no_queue(model: Model) -> None:
    items = model.items("batch-hourly", 1_000)
    assert items["dynamodb-read-units"] == pytest.approx(1_000 * _DAYS / 1e6)
    assert not {"sqs-requests", "alarms", "logs"} & items.keys()


def test_messages_and_log_lines_are_those_of_the_record(model: Model, record: RecordedUsage) -> None:
    worker = record.of("upload-s3", "fargate")
    logging = replace(worker, each={**worker.each, "log-bytes/Workers": 200})
    uploads = {**record.actions["upload-s3"], "fargate": logging}
    model = replace(model, record=replace(record, actions={"upload-s3": uploads}))
    first, second = (model.items("fargate", photos) for photos in (1_000_000, 2_000_000))  # always busy
    assert second["logs"] == pytest.approx(2_000_000 * _DAYS * 200 / 1e9)
    assert first["logs"] == pytest.approx(second["logs"] / 2)
    polls = model.fleet("fargate").worker_seconds(1_000_000) / 20
    assert first["sqs-requests"] == pytest.approx((1_000_000 * (2 + 1 / 5) + polls) * _DAYS / 1e6)


def test_billed_duration_in_an_account_replaces_cpu_time(
    comparison: Comparison, sizes: Sizes, assumptions: Assumptions
) -> None:
    unknown = {
        option: replace(it, cpu_seconds_per_photo=None, calls_per_photo=None, peak_bytes=None)
        for option, it in comparison.measurements.items()
    }
    with pytest.raises(OperationError, match="lambda"):
        Model.of(replace(comparison, measurements=unknown), sizes, assumptions)
    unknown["lambda"] = replace(unknown["lambda"], billed_seconds_per_photo=0.4)
    model = Model.of(replace(comparison, measurements=unknown), sizes, replace(assumptions, cpu_factor_lambda=9))
    assert {model.photo_seconds(option) for option in OPTIONS} == {0.4}
