"""Commands of the documentation, and a terminal to run them in."""

import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from local.emulator import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def shell_commands(page: Path) -> Iterator[str]:
    """Yield the commands in the shell blocks of a page, without comments."""
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            yield re.sub(r"\s+#.*", "", line)


def make_commands() -> list[str]:
    """Return the `make` commands of all pages, in blocks and in sentences."""
    blocks = {command for page in PAGES for command in shell_commands(page) if command.startswith("make ")}
    return sorted(blocks.union(*(re.findall(r"`(make [^`…]+)`", page.read_text()) for page in PAGES)))


def run_in_terminal(command: str, environment: dict[str, str]) -> str:
    """Run a command in this folder at a terminal, answer every question with yes, and return what it prints."""
    controller, terminal = pty.openpty()
    output = b""

    def answer_questions() -> None:
        nonlocal output
        answered = 0
        while True:
            try:
                output += os.read(controller, 4096)
            except OSError:  # The last process has closed the terminal.
                return
            if len(questions := re.findall(rb"\(y/n\)", output)) > answered:
                answered = len(questions)
                os.write(controller, b"y\n")

    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment | {"npm_config_update_notifier": "false"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    thread = threading.Thread(target=answer_questions, daemon=True)
    thread.start()
    status = process.wait()
    thread.join(10)
    os.close(controller)
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output.decode())
    assert status == 0, f"{command}\n{text}"
    return text
