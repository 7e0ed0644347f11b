"""The comparison in the terminal."""

import re

from rich.console import Console
from rich.table import Table
from rich.text import Text

from operations.compare.costs.model import Model
from operations.compare.measurement import Comparison
from operations.compare.page.content import sections


def print_report(comparison: Comparison, model: Model, console: Console | None = None) -> None:
    """Print what was measured, and what each option costs."""
    console = console or Console(highlight=False)
    for section in sections(comparison, model):
        console.print()
        console.print(Text(section.title, style="bold"))
        for paragraph in section.text:
            console.print(Text(_plain(paragraph)))
        heading, *rows = section.table
        table = Table(*map(_plain, heading), box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(_plain(cell)) for cell in row))
        console.print(table)
        for note in section.notes:
            console.print(Text(_plain(note)))


def _plain(markdown: str) -> str:
    return re.sub(r"`|\*\*|\\(?=\*)", "", markdown)
