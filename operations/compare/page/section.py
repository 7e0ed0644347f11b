"""A section of the comparison: a heading with sentences and a table, and how its cells are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from operations.compare.costs.billed_time import Option
from operations.compare.costs.model import MAX_PHOTOS_PER_DAY

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


PHOTOS_PER_DAY = (0, 100, 1_000, 10_000, 100_000, 1_000_000, MAX_PHOTOS_PER_DAY)


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


def dollars(usd: float) -> str:
    """Return an amount with cents below $100."""
    return f"${usd:,.2f}" if usd < 100 else f"${usd:,.0f}"


def rounded(number: float) -> str:
    """Return a number with two significant digits, which is as precise as the assumptions allow at best."""
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 10 else f"{number:.2g}"


def photos_label(number: int) -> str:
    return f"{number:,}" if number else "idle"


def decimal(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
