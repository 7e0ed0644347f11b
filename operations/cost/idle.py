"""The idle cost of stacks, computed from their templates and known prices."""

import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from operations.cdk import Assembly
from operations.cost.idle_charges import Charge, idle_charges
from operations.cost.prices import HOURS_PER_MONTH, Price

# Index of the column with US dollars per hour.
HOURLY = 4

_FILE_COLUMNS = 160

_NUMBER = re.compile(r"[<-]?[\d,.]*")

_HEADING = ["Stack", "Item", "Quantity", "Unit price", "$ per hour", "Source, read on"]


@dataclass(frozen=True)
class IdleCost:
    """The charges of idle stacks, with equal items added up."""

    charges: tuple[Charge, ...]

    @property
    def hourly(self) -> float:
        """US dollars per hour."""
        return sum(charge.price.hourly(charge.quantity) for charge in self.charges)

    def __str__(self) -> str:
        longer = f"${self.hourly * 24:.2f} per day, ${self.hourly * HOURS_PER_MONTH:.0f} per month"
        return f"${self.hourly:.3f} per hour while idle ({longer}; us-east-1, before tax)"

    def rows(self) -> list[list[str]]:
        """Return a table with a heading and the total. Approximate prices start with `~`."""
        return [_HEADING, *map(_row, self.charges), ["all", "", "", "", f"{self.hourly:.4f}", ""]]


def _row(charge: Charge) -> list[str]:
    price = charge.price
    hourly = f"{price.hourly(charge.quantity):.4f}"
    return [
        charge.stack,
        charge.item,
        f"{charge.quantity:.3g}",
        unit_price(price),
        hourly,
        f"{price.source}, {price.read}",
    ]


def unit_price(price: Price) -> str:
    """Return the price of a unit, with `~` if it is approximate, and the free units of a month."""
    about = "~" if price.approximate else ""
    free = f", {price.free:g} free" if price.free else ""
    return f"{about}${price.usd:.6g} per {price.per}{free}"


def idle_cost(assembly: Path, stacks: Collection[str] | None = None) -> IdleCost:
    """Compute the idle cost of stacks.

    Args:
        assembly: Folder that `cdk synth` wrote.
        stacks: Ids of the stacks; all if None.

    Raises:
        UnknownPriceError: A resource has no known price.
    """
    quantities: dict[tuple[str, str, Price], float] = {}
    for stack, template in Assembly(assembly).templates().items():
        for charge in idle_charges(stack, template) if stacks is None or stack in stacks else ():
            # Free units apply to the whole account.
            key = ("all" if charge.price.free else stack, charge.item, charge.price)
            quantities[key] = quantities.get(key, 0) + charge.quantity
    charges = [Charge(stack, item, quantity, price) for (stack, item, price), quantity in quantities.items()]
    return IdleCost(tuple(sorted(charges, key=lambda charge: charge.stack == "all")))


def print_table(rows: Sequence[Sequence[str]], *, totals: int = 0) -> None:
    """Print a table as wide as the terminal, numbers to the right, with an empty line before the rows of totals."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for heading, *cells in zip(*rows, strict=True):
        number = all(map(_NUMBER.fullmatch, cells))
        table.add_column(heading, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for index, row in enumerate(rows[1:], start=1):
        if totals and index == len(rows) - totals:
            table.add_row()
        table.add_row(*row)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _FILE_COLUMNS).print(table)
