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


def print_start(description: str) -> None:
    """Print that something starts. A terminal shows it in the step in progress instead."""
    if not _console.is_interactive:
        _console.print(Text(f"  … {description}"))


def print_end(description: str, start: float, *, succeeded: bool) -> None:
    """Print ✓ or ✗, and the duration since `start`, a time of `time.monotonic`."""
    mark = ("✓", "green") if succeeded else ("✗", "red")
    _console.print(Text.assemble("  ", mark, f" {description} ", (f"({time.monotonic() - start:.1f} s)", "dim")))


class Step(list[str]):
    """What a step found. If it succeeds, each entry becomes a line below the step.

    Attributes:
        waits_for: What the step waits for at the moment. Terminals show it.
    """

    waits_for = ""


@contextmanager
def step(description: str, progress: Step | None = None) -> Iterator[Step]:
    """Print a step with its duration when it ends: ✓, or ✗ if the block raises an error.

    A terminal also shows the seconds while the step runs, and what it waits for.

    Args:
        description: Names the step.
        progress: What it waits for, if it has started before.

    Yields:
        A list to which the block appends what it found.
    """
    start = time.monotonic()
    findings = Step() if progress is None else progress
    succeeded = False

    def line() -> Text:
        waits_for = f": {findings.waits_for}" if findings.waits_for else ""
        text = f"  … {description} ({time.monotonic() - start:.0f} s){waits_for}"
        return Text(text, no_wrap=True, overflow="ellipsis")

    try:
        with Live(console=_console, get_renderable=line, transient=True):
            yield findings
        succeeded = True
    finally:
        print_end(description, start, succeeded=succeeded)
    for finding in findings:
        _console.print(Text(f"      {finding}"))
