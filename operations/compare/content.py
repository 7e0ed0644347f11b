"""What `docs/compare.md` and the terminal show: sections with a table each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from operations.compare.assumptions import assumption_rows
from operations.compare.break_even import BreakEven, break_evens
from operations.compare.measurement import Comparison
from operations.compare.measurement import Option as Measured
from operations.compare.model import MAX_PHOTOS_PER_DAY, OPTIONS, Model, Option
from operations.compare.variations import variations
from operations.prices import get_price

LABELS: Final[Mapping[Option, str]] = {
    "lambda": "lambda",
    "lambda-image": "lambda-image",
    "fargate": "fargate (Spot)",
    "fargate-on-demand": "fargate On-Demand",
    "ec2": "ec2 (On-Demand)",
    "ec2-spot": "ec2 Spot",
    "batch-hourly": "Batch hourly (Spot)",
    "batch-hourly-on-demand": "Batch hourly On-Demand",
    "batch-nightly": "Batch nightly (Spot)",
    "batch-nightly-on-demand": "Batch nightly On-Demand",
    "lightsail": "Lightsail",
}

# Options whose photos do not wait for the next run.
_CONTINUOUS = [option for option in OPTIONS if not option.startswith("batch")]

_PHOTOS_PER_DAY = (0, 100, 1_000, 10_000, 100_000, 1_000_000, MAX_PHOTOS_PER_DAY)

# The day whose bill is shown by item, and the items by the start of their keys in `prices.toml`.
_BILL_PHOTOS = 100_000
_ITEMS = {
    "lambda-": "Compute",
    "fargate-": "Compute",
    "c": "Compute",
    "m": "Compute",
    "ec2-spot": "Compute",
    "lightsail-": "Compute",
    "public-ipv4": "IPv4 addresses",
    "ebs-": "Disks",
    "sqs-requests": "Queue",
    "logs": "Logs",
    "traces": "Traces",
    "alarms": "Alarms",
    "ecr-storage": "Image",
}

_MIB = 1024**2


@dataclass(frozen=True)
class Section:
    """A heading with sentences and a table.

    Attributes:
        title: The heading.
        text: Paragraphs in Markdown, before the table.
        table: Rows, of which the first is the heading. Cells are Markdown.
        notes: Paragraphs after the table.
        details: A summary, if the page hides the table behind it.
    """

    title: str
    text: Sequence[str]
    table: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    details: str = ""


def sections(comparison: Comparison, model: Model) -> Iterator[Section]:
    """Yield what was measured, then what it costs, then the prices and assumptions behind it."""
    yield _cheapest(model)
    yield from _measured(comparison)
    yield _behavior(model)
    yield from _costs(model)
    yield _bill(model)
    yield from _break_evens(model)
    yield _variations(model)
    yield _prices(model)
    yield _assumptions()


def dollars(usd: float) -> str:
    """Return an amount with cents below $100."""
    return f"${usd:,.2f}" if usd < 100 else f"${usd:,.0f}"


def rounded(number: float) -> str:
    """Return a number with two significant digits, which is as precise as the assumptions allow at best."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.2g}"


def _millions(number: float) -> str:
    return f"{number / 1e6:.2g} million"


def _cheapest(model: Model) -> Section:
    rows = [["Photos per day", "Cheapest", "Cheapest if photos can wait for a run of Batch"]]
    for photos in _PHOTOS_PER_DAY:
        cells = []
        for options in (_CONTINUOUS, OPTIONS):
            costs = {option: model.cost(option, photos, free_tier=False) for option in options}
            best = min(options, key=lambda it: costs[it])
            cells.append(f"{LABELS[best]}, {dollars(costs[best])}")
        rows.append([_photos(photos), *cells])
    return Section("Which option is cheapest", ["US dollars per month, without the free tier."], rows)


def _measured(comparison: Comparison) -> Iterator[Section]:
    files = ", ".join(f"{count} {description}" for description, count in comparison.files.items())
    where = "the emulator on one machine" if comparison.target == "sandbox" else "an AWS account"
    text = [
        f"{comparison.photos} files ({files}; {comparison.bytes_per_photo / 1e6:.1f} MB on average) went through each "
        f"option in {where} ({comparison.machine}) on {comparison.date}. Thumbnails of all options are correct and "
        "byte-identical."
    ]
    if comparison.target == "sandbox":
        text.append(
            "This table has no times: in the sandbox, every option is a process on the same machine, so its times say "
            "little about AWS."
        )
    rows = [["Option", "Ready", "Rejected", "Identical thumbnails", "CPU s per photo", "Peak memory, MiB"]]
    account = comparison.target == "account"
    if account:
        rows[0] += ["First thumbnail after, s", "Last after, s", "Billed s per photo"]
    for option, it in comparison.measurements.items():
        row = [f"`{option}`", str(it.ready), str(it.rejected), str(it.thumbnails), _number(it.cpu_seconds_per_photo, 3)]
        row.append(_number(None if it.peak_bytes is None else it.peak_bytes / _MIB, 0))
        if account:
            row += [_number(it.seconds_to_first, 1), _number(it.seconds_to_last, 1)]
            row.append(_number(it.billed_seconds_per_photo, 3))
        rows.append(row)
    yield Section("Measured here", text, rows)
    calls = {option: it.calls_per_photo for option, it in comparison.measurements.items() if it.calls_per_photo}
    if calls:
        yield _calls(calls)


def _calls(calls: Mapping[Measured, Mapping[str, float]]) -> Section:
    names = sorted({name for counts in calls.values() for name in counts})
    rows = [["AWS calls per photo", *(f"`{option}`" for option in calls)]]
    rows += [[f"`{name}`", *(_number(counts.get(name, 0), 2) for counts in calls.values())] for name in names]
    return Section(
        "AWS calls per photo",
        [
            "Recorded by role. Lambda receives and deletes messages with the role of the function. Calls that receive "
            "no message are not counted."
        ],
        rows,
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _behavior(model: Model) -> Section:
    sizes, assumed = model.sizes, model.assumptions
    function, fargate, ec2, batch = sizes.function, sizes.fargate, sizes.ec2, sizes.batch
    memory = f"{function.memory_gb * 1024:,.0f} MB, {function.architecture}"
    scales = f"With the queue, to {function.concurrency} requests of up to {function.batch_size} photos at a time"
    steps = (
        f"one for each {fargate.photos_per_worker:g} waiting photos; 0 after {fargate.idle_seconds / 60:g} idle minutes"
    )
    bundles = ", ".join(f"{bundle} {rounded(photos)}" for bundle, photos in model.bundles().items())
    rows = [
        ["Option", "Starts", "Scales", "Billed", "You patch"],
        [
            "`lambda`",
            f"An environment ({memory}) in about {assumed.init_seconds_lambda:g} s",
            scales,
            "Requests, and GB-seconds by the millisecond",
            "Libraries",
        ],
        [
            "`lambda-image`",
            f"The same from an image, in about {assumed.init_seconds_lambda_image:g} s",
            scales,
            "The same, and image storage",
            "Image: system, Python, libraries",
        ],
        [
            "`fargate`",
            f"A task ({fargate.description}) in about {assumed.start_seconds_fargate:g} s, a minute after the photo",
            f"0 to {fargate.maximum} tasks, {steps}",
            "vCPU, memory, and public IPv4 by the second, at least a minute, from the image pull to the stop",
            "Image: system, Python, libraries",
        ],
        [
            "`ec2`",
            f"An instance ({ec2.description}), then its task, in about {assumed.start_seconds_ec2:g} s",
            f"0 to {ec2.maximum} instances, with the tasks; removed {assumed.stop_seconds_ec2 / 60:g} minutes later",
            "Instance, disk, and public IPv4 by the second, at least a minute, busy or not",
            "Image, and the AMI of the instances",
        ],
        [
            "Batch (`make remake`)",
            f"Instances ({batch.description} or similar) when a job is submitted",
            f"0 to {batch.maximum_spot} Spot Instances, one for each {batch.photos_per_worker:g} photos",
            "Instances as above; Batch is free",
            "Image; Batch chooses the AMI",
        ],
        [
            "Lightsail",
            "Nothing: it always runs",
            f"By hand. Photos per month and bundle: {bundles}",
            "The bundle by the month, stopped or not",
            "Everything",
        ],
    ]
    return Section(
        "What starts, scales, is billed, and needs patching",
        [
            "Sizes and limits are those in the templates. Lightsail is calculated only: an instance has no role, so it "
            f"would need a key of an IAM user. Bundles with less than {ec2.memory_mib:,} MiB cannot process every "
            "accepted photo."
        ],
        rows,
    )


def _costs(model: Model) -> Iterator[Section]:
    millions = 1_000_000
    shared = ""
    if model.requests_per_photo:
        writes = sum(count for name, count in model.requests_per_photo.items() if name.startswith("dynamodb:"))
        shared = (
            f"Not in these tables, because every option pays it alike, for each million photos: S3 requests of "
            f"{dollars(model.shared_cost(millions))}, {writes:.2g} million calls of DynamoDB, for which `prices.toml` "
            "has no price, and storage."
        )
    for free_tier in (False, True):
        rows = [["Option", *(_photos(photos) for photos in _PHOTOS_PER_DAY)]]
        for option in OPTIONS:
            most = model.most_photos_per_day(option)
            rows.append(
                [
                    LABELS[option],
                    *(
                        dollars(model.cost(option, photos, free_tier=free_tier)) + " \\*" * (photos > most)
                        for photos in _PHOTOS_PER_DAY
                    ),
                ]
            )
        free = "Lambda, SQS, CloudWatch, and X-Ray have free units in every account and month."
        yield Section(
            f"Dollars per month, {'with' if free_tier else 'without'} the free tier",
            [free if free_tier else "By photos per day: what differs by compute."],
            rows,
            [
                "\\* More than the option can process within its maximum in the templates, which fits a new account.",
                *([shared] if shared and not free_tier else []),
            ],
        )


def _bill(model: Model) -> Section:
    rows = [["Option", *dict.fromkeys(_ITEMS.values())]]
    for option in OPTIONS:
        items, amounts = model.items(option, _BILL_PHOTOS), dict.fromkeys(_ITEMS.values(), 0.0)
        for key, units in items.items():
            (kind,) = (kind for start, kind in _ITEMS.items() if key.startswith(start))
            amounts[kind] += model.charge({key: units}, free_tier=False)
        rows.append([LABELS[option], *(dollars(usd) if usd else "–" for usd in amounts.values())])
    return Section(
        f"The bill for {_BILL_PHOTOS:,} photos a day",
        ["Dollars per month, without the free tier. Most of a bill is the time of a vCPU, busy or idle."],
        rows,
    )


def _photos(number: int) -> str:
    return f"{number:,}" if number else "idle"


def _break_evens(model: Model) -> Iterator[Section]:
    pairs = [break_evens(model, OPTIONS, free_tier=free_tier) for free_tier in (False, True)]
    rows = [
        [f"{LABELS[without.first]} – {LABELS[without.second]}", _cheaper(without), _cheaper(with_free)]
        for without, with_free in zip(*pairs, strict=True)
    ]
    rows = [[pair, without, "the same" if with_free == without else with_free] for pair, without, with_free in rows]
    heading = ["Pair", "Cheaper, without the free tier", "Cheaper, with the free tier"]
    count = len(OPTIONS) - 1
    yield Section(
        "Break-even points",
        [
            "The cheaper option of each pair when idle, and the photos a day from which the other one is, up to "
            f"{MAX_PHOTOS_PER_DAY:,}. Numbers have two digits, because the assumptions justify no more. Some pairs "
            "cross more than once, because tasks, instances, and bundles come in whole numbers."
        ],
        [heading, *rows[:count]],
    )
    yield Section("All other pairs", [], [heading, *rows[count:]], details="All other pairs")


def _cheaper(pair: BreakEven) -> str:
    if not pair.cheaper:
        return "never: the same price"
    first = LABELS[pair.cheaper[0]]
    if not pair.points:
        return f"never: {first} is always cheaper"
    parts = [f"{LABELS[it]} from {rounded(point)}" for point, it in zip(pair.points, pair.cheaper[1:], strict=True)]
    return ", then ".join([first, *parts])


def _variations(model: Model) -> Section:
    lambda_hour = model.charge(
        {f"lambda-{model.sizes.function.architecture}-gb-seconds": 3600 * model.sizes.function.memory_gb},
        free_tier=False,
    )
    on_demand, spot = (
        model.charge(units, free_tier=False) for units in (model.sizes.fargate.hourly, model.sizes.fargate.spot)
    )
    rows = [["Assumption", "Fargate is cheaper from, photos per month"]]
    for it in variations(model):
        months = it.photos_per_month
        rows.append([it.change, "never" if months is None else _millions(months) if months >= 1e5 else rounded(months)])
    return Section(
        "Why published break-even points differ",
        [
            f"A busy hour costs {dollars(lambda_hour)} on Lambda, {dollars(on_demand)} on a Fargate task with its "
            f"address, and {dollars(spot)} on Spot. So a task that runs all day pays off once it is busy for "
            f"{on_demand / lambda_hour:.0%} of the day ({spot / lambda_hour:.0%} on Spot), however long a request "
            f"takes. How many requests that is depends on the duration of each: {model.photo_seconds('lambda'):.2f} s "
            "of a whole vCPU here.",
            "Published numbers range from 1 to 15 million invocations a month, because they assume other durations, "
            "memory sizes, processors, and utilization. This is the same calculation with one assumption changed:",
        ],
        rows,
        ["Rows that start with … change the row in bold."],
    )


def _prices(model: Model) -> Section:
    used = {key for option in OPTIONS for photos in _PHOTOS_PER_DAY for key in model.items(option, photos)}
    used |= {"s3-put", "s3-get", *(f"lightsail-{bundle}" for bundle in model.bundles())}
    rows = [["Item", "Price", "Free each month", "Source, read on"]]
    for key in sorted(used):
        price = get_price(key)
        about = "about " if price.approximate else ""
        read = price.read or "date unknown"
        free = f"{price.free:,g}" if price.free else "–"
        rows.append([f"`{key}`", f"{about}${price.usd:.10g} per {price.per}", free, f"{price.source}, {read}"])
    return Section(
        "AWS list prices",
        [
            "us-east-1, before tax, from `operations/prices.toml`. `about` marks a price that varies, or whose date or "
            "source is uncertain."
        ],
        rows,
    )


def _assumptions() -> Section:
    return Section(
        "Assumptions",
        ["From `operations/compare/assumptions.toml`. Edit it, then run `python -m operations.compare.page`."],
        [["Name", "Value", "Why"], *([f"`{name}`", value, why] for name, value, why in assumption_rows())],
    )
