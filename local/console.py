"""Terminal output of the sandbox: headings, and steps with their duration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

_console = Console(highlight=False, soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading after an empty line."""
    _console.print("\n", Text(text, "bold"), sep="")


@contextmanager
def step(description: str) -> Iterator[list[str]]:
    """Print a step with its duration when it ends: ✓, or ✗ if the block raises an error.

    A terminal also shows the seconds while the step runs.

    Yields:
        A list to which the block appends what it found. If it succeeds, each entry becomes a line below the step.
    """
    start = time.monotonic()
    findings: list[str] = []
    mark = ("✗", "red")

    def progress() -> Text:
        return Text(f"  … {description} ({time.monotonic() - start:.0f} s)", no_wrap=True, overflow="ellipsis")

    try:
        with Live(console=_console, get_renderable=progress, transient=True):
            yield findings
        mark = ("✓", "green")
    finally:
        _console.print(Text.assemble("  ", mark, f" {description} ", (f"({time.monotonic() - start:.1f} s)", "dim")))
    for finding in findings:
        _console.print(Text(f"      {finding}"))
