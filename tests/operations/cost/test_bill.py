"""The bill of a month, against values computed by hand."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from operations.cdk import Assembly
from operations.compare.costs.assumptions import read_assumptions
from operations.compare.costs.billed_time import DAYS_PER_MONTH
from operations.compare.costs.model import SHARED, Model
from operations.compare.costs.sizes import sizes_of
from operations.cost.bill import Bill, monthly_bill
from operations.cost.bill_table import TOTALS, bill_rows, summary
from operations.cost.deployment import read_deployment
from operations.cost.idle import idle_cost
from operations.cost.month import Usage
from operations.cost.photo_work import photo_work
from operations.cost.prices import get_price
from operations.cost.usage import ActionUsage, RecordedUsage
from stacks.support.settings import ThumbnailsOn
from tools.benchmark.results import PipelineResult, pipeline_results

_PHOTO = {"s3-put": 3.0, "s3-get": 1.0, "sqs-requests": 1.0, "dynamodb-write-units": 2.0, "s3-stored-bytes": 1e6}
_API = {"api-requests": 1.0, "lambda-requests/Api": 1.0, "firehose-bytes": 5_000.0, "log-bytes/Api": 100.0}
_IDLE = ("alarms", "ecr-storage")
_BATCH = {"sqs-requests": 2.0, "lambda-requests/Thumbnails": 1.0}


@pytest.fixture
def record() -> RecordedUsage:
    """A record with round numbers."""
    upload = ActionUsage(each=_PHOTO, batch=_BATCH)
    album = _API | {"s3-get": 30.0, "transfer-out-bytes": 1e6}
    return RecordedUsage(
        date="2026-11-28",
        photo_bytes=3_000_000,
        megapixels=12,
        page_photos=50,
        album_photos=24,
        sweep_photos=1_000,
        actions={
            "upload-s3": {"lambda": upload},
            "upload-api": {"lambda": replace(upload, each=_PHOTO | _API | {"dynamodb-write-units": 4.0})},
            "deletion": {"lambda": ActionUsage(each=_API | {"s3-stored-bytes": -1e6}, batch=_BATCH)},
            "page-view": {"lambda": ActionUsage(each=_API | {"transfer-out-bytes": 1e6}, batch={})},
            "album": {"lambda": ActionUsage(each=album, batch={})},
            "sweep": {"lambda": ActionUsage(each={"s3-put": 3.0}, batch={})},
        },
    )


@pytest.fixture
def bill_of(assembly: Path, record: RecordedUsage) -> Callable[..., Bill]:
    """Return a function that computes the bill of a usage. A photo of 12 megapixels needs 100 ms of CPU time."""

    def compute(photos: int = 1_000_000, folder: Path = assembly, **usage: object) -> Bill:
        return monthly_bill(Usage(photos=photos, **usage), folder, record=record, results=list(_results()))  # type: ignore[arg-type]

    return compute


def _results() -> Iterator[PipelineResult]:
    # One photo at a time is never used. A batch waits for 60 ms once.
    for threads, wait in ((1, 1_000), (3, 60)):
        for megapixels, cpu in ((1, 10), (12, 100), (48, 400)):
            for batch in (1, 5):
                billed = cpu + wait / batch
                yield PipelineResult(megapixels, 300_000 * megapixels, batch, threads, billed, cpu, 300, 1000 / billed)


def _dollars(bill: Bill, service: str, item: str = "") -> float:
    lines = [line.dollars for line in bill.lines if line.service == service and item in line.item]
    assert lines, f"no line of {service} {item}"
    return sum(lines)


def test_recorded_units_are_priced(bill_of: Callable[..., Bill]) -> None:
    bill = bill_of(upload="s3")
    assert _dollars(bill, "S3", "GET") == pytest.approx(0.40)
    assert _dollars(bill, "DynamoDB", "write units") == pytest.approx(2 * 0.625)
    assert _dollars(bill, "SQS", "messages") == pytest.approx((1 + 2 / bill.month.batch) * 0.40)
    assert _dollars(bill, "Lambda", "requests") == pytest.approx(0.20 / bill.month.batch)
    nightly = 365 / 12 * 3 * 500  # half of the photos, on average
    assert _dollars(bill, "S3", "PUT and LIST") == pytest.approx(3 * 5 + nightly * 5 / 1e6)
    assert {"API Gateway", "Firehose"}.isdisjoint(line.service for line in bill.lines)


def test_upload_by_the_api_adds_its_requests_and_the_registration(bill_of: Callable[..., Bill]) -> None:
    bill = bill_of()
    assert _dollars(bill, "API Gateway") == pytest.approx(3.50)
    assert _dollars(bill, "DynamoDB", "write units") == pytest.approx(4 * 0.625)
    assert _dollars(bill, "Firehose") == pytest.approx(5 * 0.029)
    assert _dollars(bill, "CloudWatch", "logs") == pytest.approx(0.1 * 0.50)
    assert _dollars(bill, "Lambda", "requests") == pytest.approx((1 + 1 / bill.month.batch) * 0.20)


def test_photos_are_stored_for_half_of_their_first_month(bill_of: Callable[..., Bill]) -> None:
    assert _dollars(bill_of(), "S3", "storage") == pytest.approx(4_600 / 2 * 0.023)
    assert _dollars(bill_of(photo_bytes=1_000_000), "S3", "storage") == pytest.approx(2_000 / 2 * 0.023)
    assert _dollars(bill_of(megapixels=24), "S3", "storage") == pytest.approx(8_200 / 2 * 0.023)
    assert _dollars(bill_of(deletions=500_000), "S3", "storage") == pytest.approx(2_300 / 2 * 0.023)


def test_durations_are_those_of_the_benchmark_on_graviton(bill_of: Callable[..., Bill]) -> None:
    bill = bill_of(upload="s3")
    assumptions = read_assumptions()
    work = assumptions.cpu_factor_lambda * 0.100 + 0.060 / bill.month.batch
    gigabytes = 1769 / 1024
    least = 1e6 * work * gigabytes * 0.0000133334
    assert least < _dollars(bill, "Lambda", "thumbnails") < 1.2 * least  # cold starts
    assert bill.floor - bill_of(photos=1_000_000, upload="s3", megapixels=1).floor == pytest.approx(
        1e6 * assumptions.cpu_factor_lambda * 0.090 * gigabytes * 0.0000133334
    )


def test_floor_prices_the_calls_that_the_contract_needs(bill_of: Callable[..., Bill]) -> None:
    cpu = 1e6 * read_assumptions().cpu_factor_lambda * 0.100 * 1769 / 1024 * 0.0000133334
    calls = 3 * 5.00 + 0.40 + (1 + 2 / 5) * 0.40 + 2 * 0.625 + 0.20 / 5
    bill = bill_of(upload="s3")
    assert bill.floor == pytest.approx(calls + cpu)
    assert bill_of().floor == pytest.approx(calls + cpu + 2 * 0.625 + 3.50 + 0.20)
    assert bill.multiple == pytest.approx(bill.processing / bill.floor)
    assert bill.multiple > 1


def test_multiple_of_the_floor_ignores_what_happens_to_processed_photos(bill_of: Callable[..., Bill]) -> None:
    busy = bill_of(page_views=1_000_000, albums=1_000, deletions=1_000)
    assert busy.total > bill_of().total
    assert busy.multiple == pytest.approx(bill_of().multiple)
    left_out = sum(line.dollars for line in bill_of().lines if "storage" in line.item)
    assert bill_of().processing == pytest.approx(sum(line.dollars for line in bill_of().lines) - left_out)


def test_free_tier_is_applied_once_to_everything_that_uses_it(bill_of: Callable[..., Bill], assembly: Path) -> None:
    bill = bill_of(photos=20_000_000)
    idle = bill.idle_dollars - idle_cost(assembly).hourly * 730
    logs, schedules = 20e6 * 100 / 1e9 * 0.50, 365 / 12 / 1e6
    used_up = 400_000 * 0.0000133334 + 0.20 + 0.40 + 0.1 * 5  # GB-seconds, requests of Lambda and SQS, traces
    assert bill.free_tier == pytest.approx(idle + logs + schedules + used_up)
    assert bill.total == pytest.approx(sum(line.dollars for line in bill.lines) + bill.idle_dollars - bill.free_tier)


def test_idle_deployment_costs_what_the_idle_cost_says(bill_of: Callable[..., Bill], assembly: Path) -> None:
    assert bill_of(photos=0).total == pytest.approx(idle_cost(assembly).hourly * 730, abs=0.01)


def test_workers_are_billed_by_the_hour_of_their_own_templates(
    bill_of: Callable[..., Bill], synthesize: Callable[..., Path]
) -> None:
    bill = bill_of(folder=synthesize(thumbnails_on="fargate"))
    assert bill.month.deployment.thumbnails_on == "fargate"
    assert not any("thumbnails" in line.item for line in bill.lines if line.service == "Lambda")
    hours = {line.item: line.quantity for line in bill.lines if line.service == "ECS"}
    assert hours["workers: memory, GB"] == pytest.approx(2 * hours["workers: vCPU"])
    seconds = 1e6 * (read_assumptions().cpu_factor_fargate * 0.100 + 0.060 / bill.month.batch)
    assert hours["workers: vCPU"] > seconds / 3600  # and the time in which they start and stop


def test_page_views_and_albums_grow_with_their_number(bill_of: Callable[..., Bill]) -> None:
    assert _dollars(bill_of(page_views=1_000), "Data transfer", "out") == pytest.approx(0.09)
    assert _dollars(bill_of(albums=1_000), "Data transfer", "out") == pytest.approx(0.09)
    assert _dollars(bill_of(albums=1_000, album_photos=48), "Data transfer", "out") == pytest.approx(0.18)
    pages = [_dollars(bill_of(albums=1_000, album_photos=photos), "Batch", "album pages") for photos in (12, 120)]
    assert pages[0] < pages[1]


def test_bill_beyond_the_maximum_of_the_templates_says_so(bill_of: Callable[..., Bill]) -> None:
    bill = bill_of(photos=1_000_000_000)
    assert f"can process {bill.month.photos_at_most:,.0f} photos" in summary(bill)
    assert "can process" not in summary(bill_of())


def test_table_adds_up_to_the_total(bill_of: Callable[..., Bill]) -> None:
    heading, *rows, total = bill_rows(bill_of(page_views=10_000))
    column = heading.index("$/month")
    dollars = {tuple(row[:2]): float(row[column].replace(",", "")) for row in [*rows, total]}
    assert sum(dollars.values()) == pytest.approx(2 * dollars["all", "total"], abs=0.01 * len(dollars))
    assert dollars["all", "free tier"] < 0


def test_quantity_and_unit_price_of_a_row_give_its_dollars(bill_of: Callable[..., Bill]) -> None:
    """Quantities are whole requests, GB-seconds, and hours, and not powers of ten."""
    _, *rows = bill_rows(bill_of(albums=1_000, page_views=100_000))
    for _, item, quantity, unit_price, dollars, _ in rows[:-TOTALS]:
        price, _, unit = unit_price.lstrip("~$").partition("/")
        amount = float(quantity.replace(",", "")) / (1e6 if unit == "million" else 1)
        assert amount * float(price) == pytest.approx(float(dollars.replace(",", "")), rel=0.01, abs=0.01), item


def test_worker_receives_as_many_messages_as_the_bill_computes_with(synthesize: Callable[..., Path]) -> None:
    from thumbnailer import worker

    templates = Assembly(synthesize(thumbnails_on="fargate")).templates()
    assert read_deployment(templates).batch_size == worker._MAX_MESSAGES


@pytest.mark.parametrize("value", get_args(ThumbnailsOn))
def test_comparison_has_the_units_of_the_bill(value: ThumbnailsOn, synthesize: Callable[..., Path]) -> None:
    folders = {it: synthesize(thumbnails_on=it) for it in get_args(ThumbnailsOn)}
    sizes = sizes_of({it: Assembly(folder).templates() for it, folder in folders.items()})
    record, photos = RecordedUsage.read(), 300_000
    record = replace(record, actions={**record.actions, "sweep": {"lambda": ActionUsage(each={}, batch={})}})
    bill = monthly_bill(Usage(photos=photos, upload="s3"), folders[value], record=record)
    work = photo_work(bill.month.usage.megapixels, bill.month.batch, pipeline_results())
    model = Model(work={value: work}, record=record, sizes=sizes, assumptions=read_assumptions())

    # A bill has alarms and the image among its idle resources.
    items = {key: units for key, units in model.items(value, photos / DAYS_PER_MONTH).items() if key not in _IDLE}
    billed: dict[str, float] = {}
    for line in bill.processing_lines:
        if "sweep" not in line.item and line.quantity:
            billed[line.key] = billed.get(line.key, 0) + line.quantity
    shared = {key: billed.pop(key) for key in SHARED if key in billed}
    assert items == pytest.approx(billed)
    assert model.shared_cost(photos) == pytest.approx(sum(get_price(key).usd * units for key, units in shared.items()))
