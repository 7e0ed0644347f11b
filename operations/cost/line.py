"""A line of a bill."""

from dataclasses import dataclass
from typing import Literal

from operations.cost.prices import Price, get_price

# Where a quantity comes from: the record, which counted it; a model; or both, because the number of batches is modeled.
Basis = Literal["recorded", "modeled", "both"]


@dataclass(frozen=True)
class Line:
    """Units of a month at a price.

    Attributes:
        key: Key of the price in `prices.toml`.
        quantity: In units of the price.
    """

    service: str
    item: str
    key: str
    quantity: float
    basis: Basis = "modeled"

    @property
    def price(self) -> Price:
        """The price of a unit."""
        return get_price(self.key)

    @property
    def dollars(self) -> float:
        """US dollars per month, without the free tier."""
        return self.quantity * self.price.usd
