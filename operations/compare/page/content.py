"""What `docs/compare.md` and the terminal show, in this order."""

from collections.abc import Iterator

from operations.compare.costs.model import Model
from operations.compare.measurement import Comparison
from operations.compare.page.behavior import behavior
from operations.compare.page.break_even_points import break_even_points, published_numbers
from operations.compare.page.measured import measured
from operations.compare.page.monthly_costs import bill, cheapest, costs
from operations.compare.page.section import Section
from operations.compare.page.sources import assumed_values, list_prices


def sections(comparison: Comparison, model: Model) -> Iterator[Section]:
    """Yield what was measured, then what it costs, then the prices and assumptions behind it."""
    yield cheapest(model)
    yield from measured(comparison)
    yield behavior(model)
    yield from costs(model)
    yield bill(model)
    yield from break_even_points(model)
    yield published_numbers(model)
    yield list_prices(model)
    yield assumed_values()
