"""AWS prices, copied from the price lists into `prices.toml`."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

_PRICES = Path(__file__).with_name("prices.toml")

HOURS_PER_MONTH = 730


class UnknownPriceError(LookupError):
    """A resource or a unit has no known price."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """A price in us-east-1.

    Attributes:
        usd: US dollars per unit, before tax.
        per: The unit.
        source: The price list.
        read: The day on which the price list contained this price, or None if it is unknown.
        free: Number of units per month and account that are free.
        approximate: The price varies, or does not come from AWS.
    """

    usd: float
    per: str
    source: str
    read: date | None = None
    free: float = 0
    approximate: bool = False

    def charge(self, units: float, *, free_tier: bool = True) -> float:
        """Return US dollars for the units of a month, with or without the free ones."""
        return max(0, units - (self.free if free_tier else 0)) * self.usd

    def hourly(self, quantity: float) -> float:
        """Return US dollars per hour for a quantity: of units that are charged per hour, or of units per month."""
        return max(0, quantity - self.free) * self.usd / (1 if self.per == "hour" else HOURS_PER_MONTH)


@cache
def _prices() -> dict[str, Price]:
    return {key: Price(**fields) for key, fields in tomllib.loads(_PRICES.read_text()).items()}


def get_price(key: str) -> Price:
    """Return the price with this key in `prices.toml`.

    Raises:
        UnknownPriceError: The file has no such price.
    """
    try:
        return _prices()[key]
    except KeyError:
        raise UnknownPriceError(f"{_PRICES.name} has no price of {key}") from None
