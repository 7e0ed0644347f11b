"""What AWS charges for, as read from its price lists: `prices.toml` beside this file."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

_PRICES = Path(__file__).with_name("prices.toml")

HOURS_A_MONTH = 730


class UnknownPriceError(LookupError):
    """Something costs, and its price is not known."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars for one of `per`, in us-east-1.

    free: so many cost nothing
    approximate: it floats, or was not read from AWS itself
    """

    usd: float
    per: str
    source: str
    read: date
    free: float = 0
    approximate: bool = False

    def hourly(self, quantity: float) -> float:
        """What so many of them cost in an hour."""
        return max(0, quantity - self.free) * self.usd / (1 if self.per == "hour" else HOURS_A_MONTH)


@cache
def _prices() -> dict[str, Price]:
    return {key: Price(**facts) for key, facts in tomllib.loads(_PRICES.read_text()).items()}


def get_price(key: str) -> Price:
    """The price under this heading of `prices.toml`. Raises UnknownPriceError."""
    try:
        return _prices()[key]
    except KeyError:
        raise UnknownPriceError(f"{_PRICES.name} has no price of {key}") from None
