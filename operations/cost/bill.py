"""The monthly bill of a usage, with the free tier, the idle cost, and the floor. `month.py` computes its lines."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from operations.cdk import Assembly
from operations.compare.costs.assumptions import read_assumptions
from operations.cost.deployment import read_deployment
from operations.cost.idle import idle_cost
from operations.cost.line import Line
from operations.cost.month import Month, Usage
from operations.cost.prices import HOURS_PER_MONTH, Price, get_price
from operations.cost.usage import RecordedUsage
from tools.benchmark.results import PipelineResult, pipeline_results

# Lines that a photo causes after it is processed, which the floor therefore leaves out.
_NOT_PROCESSING = ("s3-storage", "dynamodb-storage", "transfer-out")


@dataclass(frozen=True)
class Bill:
    """The lines of a month, at list prices, and what the free tier takes off.

    Attributes:
        month: The usage, and what its costs follow from.
        lines: What the usage costs.
        idle: What the deployment costs without usage. Its empty receives are among the lines.
        floor_lines: What processing the photos costs at least.
        processing_lines: What processing them costs here.
    """

    month: Month
    lines: tuple[Line, ...]
    idle: tuple[tuple[float, Price], ...]
    floor_lines: tuple[Line, ...]
    processing_lines: tuple[Line, ...]

    @cached_property
    def idle_dollars(self) -> float:
        """US dollars per month at list prices."""
        return sum(units * price.usd for units, price in self.idle)

    @cached_property
    def free_tier(self) -> float:
        """US dollars per month that free units take off: once for the account, whatever uses them."""
        units: defaultdict[Price, float] = defaultdict(float)
        for quantity, price in [*((line.quantity, line.price) for line in self.lines), *self.idle]:
            units[price] += quantity
        return sum(min(used, price.free) * price.usd for price, used in units.items())

    @property
    def total(self) -> float:
        """US dollars per month."""
        return sum(line.dollars for line in self.lines) + self.idle_dollars - self.free_tier

    @property
    def floor(self) -> float:
        """US dollars per month that processing the photos costs at least."""
        return sum(line.dollars for line in self.floor_lines)

    @property
    def processing(self) -> float:
        """US dollars per month that processing the photos costs here."""
        return sum(line.dollars for line in self.processing_lines)

    @property
    def multiple(self) -> float:
        """What processing the photos costs, as a multiple of the floor. Both without the free tier."""
        return self.processing / self.floor


def monthly_bill(
    usage: Usage,
    assembly: Path,
    *,
    record: RecordedUsage | None = None,
    results: Sequence[PipelineResult] | None = None,
) -> Bill:
    """Compute the bill of a usage for the deployment in a cloud assembly.

    Args:
        usage: What users do in a month.
        assembly: Folder that `cdk synth` wrote.
        record: The billable units of each action, by default those in the repository.
        results: Results of the pipeline benchmark, by default those in the repository.

    Raises:
        UnknownPriceError: A resource has no known price.
    """
    deployment = read_deployment(Assembly(assembly).templates())
    month = Month(usage, deployment, record or RecordedUsage.read(), read_assumptions(), results or pipeline_results())
    only_photos = replace(month, usage=replace(usage, albums=0, page_views=0, deletions=0))
    return Bill(
        month=month,
        lines=tuple(line for line in month.lines() if line.quantity),
        idle=tuple(_idle_units(assembly)),
        processing_lines=tuple(line for line in only_photos.lines() if line.key not in _NOT_PROCESSING),
        floor_lines=tuple(only_photos.floor()),
    )


def _idle_units(assembly: Path) -> Iterator[tuple[float, Price]]:
    """Yield the units of a month of idle resources, without the empty receives, which depend on the usage."""
    for charge in idle_cost(assembly).charges:
        if charge.price != get_price("sqs-requests"):
            yield charge.quantity * (HOURS_PER_MONTH if charge.price.per == "hour" else 1), charge.price
