"""Headings and steps, in a terminal and elsewhere."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.console import heading, step

ROOT = Path(__file__).parent.parent.parent

PROGRAM = """
import sys, time
from local.console import heading, step
heading("A heading")
with step("work") as progress:
    progress.waits_for = "Ecs/Ec2/Service CREATE_IN_PROGRESS AWS::ECS::Service"
    time.sleep(float(sys.argv[1]))
with step("more work"):
    raise SystemExit("an error")
"""


def run_in_terminal(*, seconds: float = 0, **environment: str) -> str:
    """Return what the program writes to a terminal if its first step takes this time."""
    terminal, program_end = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(seconds)],
        cwd=ROOT,
        env=inherited | environment,
        stdout=program_end,
        stderr=subprocess.DEVNULL,
    ):
        os.close(program_end)
        written = b""
        while True:
            try:
                written += os.read(terminal, 65536)
            except OSError:  # the program has closed its end
                break
    os.close(terminal)
    return written.decode()


def test_step_counts_seconds_in_colors_in_a_terminal() -> None:
    written = run_in_terminal(seconds=1.5, TERM="xterm", COLUMNS="60")
    assert "\x1b[1mA heading\x1b[0m" in written
    assert re.search(r"… work \(0 s\): Ecs/Ec2.*… work \(1 s\): Ecs/Ec2.*\x1b\[32m✓\x1b\[0m work", written, re.DOTALL)
    assert "\x1b[31m✗\x1b[0m more work" in written


@pytest.mark.parametrize("columns", [12, 60])
def test_step_counts_seconds_on_one_line_of_a_narrow_terminal(columns: int) -> None:
    # A line longer than the terminal would leave its first part behind each second.
    written = run_in_terminal(TERM="xterm", COLUMNS=str(columns))
    assert "  … work (0" in written
    lines = re.findall(r"  … .*", re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]|\r", "\n", written))
    assert max(map(len, lines)) == columns


def test_step_prints_plain_lines_in_a_dumb_terminal() -> None:
    written = run_in_terminal(TERM="dumb")
    assert "\x1b" not in written
    assert "…" not in written


def test_step_prints_one_plain_line_and_its_findings_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    heading("A heading")
    with step("work") as findings:
        findings.append("it works [really]")
    with pytest.raises(KeyError), step("more work"):
        raise KeyError
    printed = re.sub(r"\d+\.\d s", "N s", capsys.readouterr().out)
    assert printed.splitlines() == ["", "A heading", "  ✓ work (N s)", "      it works [really]", "  ✗ more work (N s)"]
