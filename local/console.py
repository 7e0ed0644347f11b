"""What the sandbox tells the person who runs it, a line at a time."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# Of a terminal (ECMA-48, "select graphic rendition").
_BOLD, _DIM, _RED, _GREEN = "1", "2", "31", "32"
_TO_START_OF_CLEARED_LINE = "\r\x1b[K"


@contextmanager
def step(what: str) -> Iterator[list[str]]:
    """Announce a step, and say how long it took and what it proved: append that to what it yields.

    At a terminal it counts the seconds while it runs; elsewhere it is one line, at its end.
    """
    start = time.monotonic()
    proved: list[str] = []
    try:
        with _counted(what, start):
            yield proved
    except BaseException:
        print(_ended(_in(_RED, "✗"), what, start), flush=True)
        raise
    print(_ended(_in(_GREEN, "✓"), what, start), flush=True)
    for line in proved:
        print(f"      {line}", flush=True)


def heading(text: str) -> None:
    """Begin a new part."""
    print(f"\n{_in(_BOLD, text)}", flush=True)


def _ended(mark: str, what: str, start: float) -> str:
    return f"  {mark} {what} {_in(_DIM, f'({time.monotonic() - start:.1f} s)')}"


@contextmanager
def _counted(what: str, start: float) -> Iterator[None]:
    if not _is_terminal():
        yield
        return
    ended = threading.Event()

    def count() -> None:
        while True:
            seconds = f" ({time.monotonic() - start:.0f} s)"
            # On one line: only the last one of several would be cleared, and each second would leave the others.
            room = shutil.get_terminal_size().columns - 1 - len(seconds)
            sys.stdout.write(f"{_TO_START_OF_CLEARED_LINE}{f'  … {what}'[: max(room, 0)]}{seconds}")
            sys.stdout.flush()
            if ended.wait(1):
                return

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    try:
        yield
    finally:
        ended.set()
        counting.join()
        sys.stdout.write(_TO_START_OF_CLEARED_LINE)


def _in(style: str, text: str) -> str:
    # NO_COLOR: no-color.org, which many terminal programs keep to.
    return f"\x1b[{style}m{text}\x1b[0m" if _is_terminal() and not os.environ.get("NO_COLOR") else text


def _is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
