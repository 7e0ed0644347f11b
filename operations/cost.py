"""The idle cost: what the stacks cost an hour while nobody uses them, from their templates and known prices."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.idle_charges import Charge, idle_charges
from operations.prices import HOURS_A_MONTH, Price

# Column of a row: US dollars.
HOURLY = 4


@dataclass(frozen=True)
class IdleCost:
    """The charges of some stacks, those of a kind added up."""

    charges: tuple[Charge, ...]

    @property
    def hourly(self) -> float:
        """US dollars."""
        return sum(charge.price.hourly(charge.quantity) for charge in self.charges)

    def __str__(self) -> str:
        day, month = self.hourly * 24, self.hourly * HOURS_A_MONTH
        return f"${self.hourly:.3f} an hour while idle: ${day:.2f} a day, ${month:.0f} a month (us-east-1, before tax)"

    def rows(self) -> list[list[str]]:
        """A table of it with a heading and the sum; prices that are approximate begin with `about`."""
        heading = ["Stack", "What", "How many", "Price", "$ an hour", "Source, read on"]
        return [heading, *map(_row, self.charges), ["all", "", "", "", f"{self.hourly:.4f}", ""]]


def _row(charge: Charge) -> list[str]:
    price = charge.price
    about = "about " if price.approximate else ""
    free = f", {price.free:g} free" if price.free else ""
    each = f"{about}${price.usd:.6g} per {price.per}{free}"
    hourly = f"{price.hourly(charge.quantity):.4f}"
    return [charge.stack, charge.what, f"{charge.quantity:.3g}", each, hourly, f"{price.source}, {price.read}"]


def idle_cost(assembly: Path, stacks: Collection[str] | None = None) -> IdleCost:
    """The cost of these stacks, by id, or of all in a folder as `cdk synth` writes it. Raises UnknownPriceError."""
    added: dict[tuple[str, str, Price], float] = {}
    for stack, template in _templates(assembly):
        for charge in idle_charges(stack, template) if stacks is None or stack in stacks else ():
            # What is free up to a number, is so for the whole account.
            key = ("all" if charge.price.free else stack, charge.what, charge.price)
            added[key] = added.get(key, 0) + charge.quantity
    found = [Charge(stack, what, quantity, price) for (stack, what, price), quantity in added.items()]
    return IdleCost(tuple(sorted(found, key=lambda charge: charge.stack == "all")))


def _templates(assembly: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    for stack, artifact in sorted(artifacts.items()):
        if artifact["type"] == "aws:cloudformation:stack":
            yield stack, json.loads((assembly / artifact["properties"]["templateFile"]).read_text())


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """A table for a terminal."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
