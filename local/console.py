"""What the sandbox tells the person who runs it, a line at a time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(what: str) -> Iterator[list[str]]:
    """Announce a step (at a terminal), and say how long it took and what it proved: append that to what it yields."""
    if sys.stdout.isatty():
        print(f"  … {what}", end="\r", flush=True)
    start = time.monotonic()
    proved: list[str] = []
    try:
        yield proved
    except BaseException:
        print(f"  ✗ {what} ({time.monotonic() - start:.1f} s)", flush=True)
        raise
    print(f"  ✓ {what} ({time.monotonic() - start:.1f} s)", flush=True)
    for line in proved:
        print(f"      {line}", flush=True)


def headline(text: str) -> None:
    """Begin a new part."""
    print(f"\n{text}", flush=True)
