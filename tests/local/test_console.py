"""What the sandbox tells, at a terminal and elsewhere."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.console import heading, step

ROOT = Path(__file__).parent.parent.parent

# Its work takes until the seconds have been written twice.
PROGRAM = """
import sys, time
from local.console import heading, step
written, write = [], sys.stdout.write
sys.stdout.write = lambda text: written.append(text) or write(text)
heading("A part")
with step("work"):
    while sys.stdout.isatty() and "TERM=dumb" not in sys.argv and sum("…" in text for text in written) < 2:
        time.sleep(0.01)
with step("more work"):
    raise SystemExit("told on stderr")
"""


def _at_a_terminal(**environment: str) -> str:
    """What the program writes to a terminal of its own."""
    ours, its = pty.openpty()
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, f"TERM={environment['TERM']}"],
        cwd=ROOT,
        env=known | environment,
        stdout=its,
        stderr=subprocess.DEVNULL,
    ):
        os.close(its)
        written = b""
        while True:
            try:
                written += os.read(ours, 65536)
            except OSError:  # its end is closed
                break
    os.close(ours)
    return written.decode()


def test_at_a_terminal_there_are_colours_and_the_seconds_are_counted() -> None:
    written = _at_a_terminal(TERM="xterm")
    assert "\x1b[1mA part\x1b[0m" in written
    assert re.search(r"… work \(0 s\).*… work \([1-9]\d* s\).*\x1b\[32m✓\x1b\[0m work", written, re.DOTALL)
    assert "\x1b[31m✗\x1b[0m more work" in written


def test_what_counts_stays_on_one_line_of_a_narrow_terminal() -> None:
    written = _at_a_terminal(TERM="xterm", NO_COLOR="1", COLUMNS="12")
    assert "\x1b[K  … w (0 s)\r" in written
    assert "✓ work (" in written


def test_no_color_turns_colours_off_but_not_progress() -> None:
    written = _at_a_terminal(TERM="xterm", NO_COLOR="1")
    assert "… work (0 s)" in written
    assert written.replace("\x1b[K", "").count("\x1b") == 0


def test_a_dumb_terminal_gets_plain_lines() -> None:
    written = _at_a_terminal(TERM="dumb")
    assert "\x1b" not in written
    assert "…" not in written


def test_elsewhere_each_step_is_one_plain_line_with_what_it_proved(capsys: pytest.CaptureFixture[str]) -> None:
    heading("A part")
    with step("work") as proved:
        proved.append("it works")
    with pytest.raises(KeyError), step("more work"):
        raise KeyError
    printed = re.sub(r"\d+\.\d s", "N s", capsys.readouterr().out)
    assert printed.splitlines() == ["", "A part", "  ✓ work (N s)", "      it works", "  ✗ more work (N s)"]
