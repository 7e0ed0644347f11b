"""Why published break-even points of Lambda and Fargate differ: ours, with one assumption changed at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

from operations.compare.costs.billed_time import DAYS_PER_MONTH, SECONDS_PER_DAY, Option
from operations.compare.costs.break_even import crossings
from operations.compare.costs.model import Model
from operations.cost.prices import HOURS_PER_MONTH

_MAX_PHOTOS_PER_DAY = 100_000_000


@dataclass(frozen=True)
class Variation:
    """A break-even point under other assumptions.

    Attributes:
        change: What is different.
        photos_per_month: Photos per month above which Fargate is always cheaper. None if it never is.
    """

    change: str
    photos_per_month: float | None


def variations(model: Model) -> Iterator[Variation]:
    """Yield the break-even point of `lambda` and Fargate in this comparison, and with other assumptions."""
    yield _variation("As deployed: Spot tasks that scale to zero", model, option="fargate", all_day=False)
    yield _variation("On-Demand tasks that scale to zero", model, all_day=False)
    yield _variation("**One On-Demand task runs all day**", model)
    yield _variation("… and a request takes 100 ms of a whole vCPU instead of a photo", _with_seconds(model, 0.1))
    yield _variation("… and a request takes 1 s of a whole vCPU", _with_seconds(model, 1))
    yield _variation("… on Spot capacity", model, option="fargate")
    yield _variation("… with the free tier of Lambda", model, free_tier=True)
    yield _variation(
        "… behind a load balancer with two addresses",
        model,
        other={"load-balancer": HOURS_PER_MONTH, "public-ipv4": 2 * HOURS_PER_MONTH},
    )
    yield _variation("… 30 % busy on average, because it is sized for its peak", model, utilization=0.3)
    yield _variation("… and a function with twice the memory, which is no faster", _with_memory(model, 2))
    waiting = _with_memory(_with_seconds(model, 0.1), 128 / 1024 / model.sizes.function.memory_gb)
    yield _variation("… and requests that wait 100 ms, in a function of 128 MB; a task serves one at a time", waiting)
    yield _variation("… the same, but a task serves ten at a time", waiting, utilization=10)


def _variation(
    change: str,
    model: Model,
    *,
    option: Option = "fargate-on-demand",
    all_day: bool = True,
    free_tier: bool = False,
    other: dict[str, float] | None = None,
    utilization: float = 1,
) -> Variation:
    fleet = model.fleet(option)
    fleet = replace(fleet, photo_seconds=fleet.photo_seconds / utilization)
    if all_day:
        fleet = replace(fleet, overhead_seconds=SECONDS_PER_DAY, photos_per_worker=inf)

    def fargate(photos_per_day: float) -> float:
        items = dict(model.fleet_items(option, fleet, photos_per_day))
        for key, units in (other or {}).items():
            items[key] = items.get(key, 0) + units
        return model.charge(items, free_tier=free_tier)

    points, signs = crossings(
        lambda photos: model.cost("lambda", photos, free_tier=free_tier), fargate, _MAX_PHOTOS_PER_DAY
    )
    return Variation(change, points[-1] * DAYS_PER_MONTH if points and signs[-1] > 0 else None)


def _with_seconds(model: Model, seconds: float) -> Model:
    """Return the model of requests that take so long on every kind of compute."""
    work = {option: replace(it, cpu_seconds=0, wait_seconds=seconds) for option, it in model.work.items()}
    return replace(model, work=work)


def _with_memory(model: Model, factor: float) -> Model:
    function = replace(model.sizes.function, memory_gb=model.sizes.function.memory_gb * factor)
    return replace(model, sizes=replace(model.sizes, function=function))
