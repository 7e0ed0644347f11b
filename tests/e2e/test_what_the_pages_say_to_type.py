"""What the pages say to type, typed: in a shell at a terminal, with the sandbox as the account."""

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

# Who types which command, whatever its arguments; `aws` is nobody's here, as the AWS CLI is no part of this project.
TYPED_BY = {
    "E2E_TARGET=aws pytest": "tests/e2e/test_what_the_pages_say_to_type.py",
    "aws": "tests/e2e/test_command_line.py",  # what it would do, by boto3
    "curl": "tests/e2e/test_what_the_pages_say_to_type.py",
    "make bench": "bench/results/bench.json",  # by a person, on a machine that has nothing else to do; this came of it
    "make check": ".ci/run",
    "make cost": "tests/e2e/test_what_the_pages_say_to_type.py",
    "make demo": ".ci/run",
    "make deploy": "tests/e2e/test_deploy.py",
    "make destroy": "tests/e2e/test_deploy.py",
    "make fuzz": "tests/lambda_src/photos/test_imaging_fuzz.py",
    "make key": "tests/e2e/test_command_line.py",
    "make local": "tests/e2e/test_command_line.py",
    "make privileges": "tests/e2e/test_privileges.py",
    "make redrive": "tests/e2e/test_redrive.py",
    "make setup": ".ci/run",  # before the first target
    "make soak": "tests/e2e/test_soak.py",
    "make test": ".ci/run",
    "npm ci": "local/setup.py",
    "npx cdk": "tests/e2e/test_what_the_pages_say_to_type.py",
    "pip install": "local/setup.py",
    "pytest": ".ci/run",
    "python -m": "tests/test_contributing.py",
    "source .venv/bin/activate": "tests/e2e/test_what_the_pages_say_to_type.py",
}


def _blocks(page: Path) -> Iterator[str]:
    """The commands of its shell blocks, one to a line, comments left out."""
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            yield re.sub(r"\s+#.*", "", line)


def _typed(command: str, environment: dict[str, str]) -> str:
    """What a shell in this folder shows; every question is answered with yes. Fails if the command does."""
    ours, terminal = pty.openpty()
    shown = b""

    def answer() -> None:
        nonlocal shown
        asked = 0
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the last one who had the terminal is gone
                return
            if len(questions := re.findall(rb"\(y/n\)", shown)) > asked:
                asked = len(questions)
                os.write(ours, b"y\n")

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
    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    status = process.wait()
    answering.join(10)
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", shown.decode())
    assert status == 0, f"{command}\n{text}"
    return text


def test_the_plain_tools_deploy_and_destroy(empty_sandbox: Sandbox) -> None:
    before = inventory(empty_sandbox.client)
    environment = empty_sandbox.cdk.environment()
    typed = [command for command in _blocks(ROOT / "README.md") if command.startswith("npx cdk")]
    first = "source .venv/bin/activate && npx cdk bootstrap"
    shown = {command: _typed(command, environment) for command in [first, *typed]}
    assert "Environment aws://111122223333/us-east-1 bootstrapped" in shown[first]
    assert "Thumbnails.OriginalsBucket = other-compute-thumbnails-" in shown["npx cdk deploy Thumbnails"]
    assert "Thumbnails (other-compute-Thumbnails): destroyed" in shown["npx cdk destroy --all"]
    left = {it for it in inventory(empty_sandbox.client) - before if "cdk-hnb659fds" not in it}
    assert left == set()


def test_the_cost_is_told(empty_sandbox: Sandbox) -> None:
    assert re.search(r"\$0\.\d+ an hour while idle", _typed("make cost", empty_sandbox.cdk.environment()))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here: apt install curl")
def test_the_api_is_asked_by_curl(sandbox: Sandbox) -> None:
    environment = sandbox.cdk.environment() | {"ApiUrl": sandbox.outputs["Api"]["ApiUrl"]}
    reading, writing = (_typed(command, environment) for command in _blocks(ROOT / "docs" / "services.md"))
    assert '"next_cursor"' in reading
    assert '"upload"' in writing


def test_the_same_tests_hold_in_an_account(sandbox: Sandbox) -> None:
    (command,) = (command for command in _blocks(ROOT / "README.md") if "E2E_TARGET" in command)
    shown = _typed(f"source .venv/bin/activate && {command}", sandbox.cdk.environment())
    assert re.search(r"= \d\d passed, \d+ deselected in ", shown), shown


def test_every_command_of_the_pages_is_typed_by_something() -> None:
    programs = "|".join(sorted({command.split()[0] for command in TYPED_BY}))
    typed = {command for page in PAGES for command in _blocks(page)}
    typed |= {found for page in PAGES for found in re.findall(rf"`((?:{programs}) [^`]+)`", page.read_text())}
    assert [command for command in sorted(typed) if not command.startswith(tuple(TYPED_BY))] == []
    assert [file for file in TYPED_BY.values() if not (ROOT / file).exists()] == []
