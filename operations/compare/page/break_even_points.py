"""From how many photos a day another option is cheaper, and why published numbers differ."""

from collections.abc import Iterator

from operations.compare.costs.billed_time import OPTIONS
from operations.compare.costs.break_even import BreakEven, break_evens
from operations.compare.costs.model import MAX_PHOTOS_PER_DAY, Model
from operations.compare.costs.variations import variations
from operations.compare.page.section import LABELS, Section, dollars, rounded


def break_even_points(model: Model) -> Iterator[Section]:
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
            "cross more than once, because tasks, instances, and bundles come in whole numbers; where they cross more "
            "than four times, the table gives the first and the last point."
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
    if len(parts) > 4:
        parts = [f"each in turn from {rounded(pair.points[0])}", parts[-1]]
    return ", then ".join([first, *parts])


def published_numbers(model: Model) -> Section:
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
            "memory sizes, resources, and utilization. This is the same calculation with one assumption changed:",
        ],
        rows,
        ["Rows that start with … change the row in bold."],
    )


def _millions(number: float) -> str:
    return f"{rounded(number / 1e6)} million"
