"""Commands of the documentation, run in a shell at a terminal. The sandbox is the account."""

import os
import pty
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def _shell_commands(page: Path) -> Iterator[str]:
    """Yield the commands in the shell blocks of a page, without comments."""
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            yield re.sub(r"\s+#.*", "", line)


def _make_commands() -> list[str]:
    """Return the `make` commands of all pages, in blocks and in sentences."""
    blocks = {command for page in PAGES for command in _shell_commands(page) if command.startswith("make ")}
    return sorted(blocks.union(*(re.findall(r"`(make [^`…]+)`", page.read_text()) for page in PAGES)))


def _run(command: str, environment: dict[str, str]) -> str:
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


def test_plain_cdk_commands_deploy_and_destroy(empty_sandbox: Sandbox) -> None:
    before = inventory(empty_sandbox.client)
    environment = empty_sandbox.cdk.environment()
    bootstrap = "source .venv/bin/activate && npx cdk bootstrap"
    commands = [command for command in _shell_commands(ROOT / "README.md") if command.startswith("npx cdk")]
    outputs = {command: _run(command, environment) for command in [bootstrap, *commands]}
    assert "Environment aws://111122223333/us-east-1 bootstrapped" in outputs[bootstrap]
    assert "Thumbnails.OriginalsBucket = other-compute-thumbnails-" in outputs["npx cdk deploy Thumbnails"]
    assert "Thumbnails (other-compute-Thumbnails): destroyed" in outputs["npx cdk destroy --all"]
    assert {it for it in inventory(empty_sandbox.client) - before if "cdk-hnb659fds" not in it} == set()


def test_cost_command_prints_idle_cost(empty_sandbox: Sandbox) -> None:
    assert re.search(r"\$0\.0\d+", _run("make cost", empty_sandbox.cdk.environment()))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed: apt install curl")
def test_curl_commands_call_the_api(sandbox: Sandbox, delete_photos_afterwards: None) -> None:
    environment = sandbox.cdk.environment() | {"ApiUrl": sandbox.outputs["Api"]["ApiUrl"]}
    reading, writing = (_run(command, environment) for command in _shell_commands(ROOT / "docs" / "local.md"))
    assert '"next_cursor"' in reading
    assert '"upload"' in writing


def test_e2e_target_aws_runs_against_an_account(sandbox: Sandbox) -> None:
    (command,) = (command for command in _shell_commands(ROOT / "README.md") if "E2E_TARGET" in command)
    output = _run(f"source .venv/bin/activate && {command}", sandbox.cdk.environment())
    assert re.search(r"= \d\d passed, \d+ deselected in ", output), output


@pytest.mark.parametrize("command", _make_commands())
def test_documented_make_commands_exist(command: str) -> None:
    dry_run = command.replace("make ", "make --dry-run ", 1)
    subprocess.run(["bash", "-c", dry_run], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
