"""What the pages say to type, typed: in a shell at a terminal, with the sandbox as the account."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import __main__ as local
from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox
from operations import __main__ as operations

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

# Who types which command, whatever its arguments. Those of `make` are often typed as what make then runs: what it makes
# of the forms on the pages has a test of its own.
TYPED_BY = {
    "E2E_TARGET=aws pytest": "tests/e2e/test_documented_commands.py",
    "curl": "tests/e2e/test_documented_commands.py",
    "make check": ".ci/run",
    "make cost": "tests/e2e/test_documented_commands.py",
    "make demo": ".ci/run",
    "make deploy": "tests/e2e/test_deploy.py",
    "make destroy": "tests/e2e/test_deploy.py",
    "make fuzz": "tests/lambda_src/photos/test_imaging_fuzz.py",
    "make key": "tests/e2e/test_local_commands.py",
    "make local": "tests/e2e/test_local_commands.py",
    "make permissions": "tests/e2e/test_permissions.py",
    "make reports": "tests/tools/test_guarantees.py",
    "make redrive": "tests/e2e/test_redrive.py",
    "make screenshot": "tests/e2e/gallery_page/test_workflows.py",
    "make setup": ".ci/run",  # before the first target
    "make soak": "tests/e2e/test_soak.py",
    "make test": ".ci/run",
    "npm ci": "tools/setup.py",
    "npx cdk": "tests/e2e/test_documented_commands.py",
    "pip install": "tools/setup.py",
    "pytest": ".ci/run",
    "python -m": "tests/test_contributing.py",
    "source .venv/bin/activate": "tests/e2e/test_documented_commands.py",
}

# What no test types, and why.
TYPED_BY_NOBODY = {
    "aws": "the AWS CLI is no part of this project, and may not be here; tests do by boto3 what it would",
    "make bench": "it measures for some minutes, on a machine that must have nothing else to do",
}
_PROGRAMS = sorted({command.split()[0] for command in (*TYPED_BY, *TYPED_BY_NOBODY)})


def _blocks(page: Path) -> Iterator[str]:
    """The commands of its shell blocks, one to a line, comments left out."""
    for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", "").splitlines():
            yield re.sub(r"\s+#.*", "", line)


def _named() -> set[str]:
    """Every command on the pages, in a block or in a line."""
    return {command for page in PAGES for command in _blocks(page)} | {
        found for page in PAGES for found in re.findall(rf"`((?:{'|'.join(_PROGRAMS)}) [^`]+)`", page.read_text())
    }


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


def test_plain_cdk_commands_deploy_and_destroy(empty_sandbox: Sandbox) -> None:
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


def test_cost_command_prints_idle_cost(empty_sandbox: Sandbox) -> None:
    assert re.search(r"\$0\.\d+ per hour while idle", _typed("make cost", empty_sandbox.cdk.environment()))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here: apt install curl")
def test_curl_commands_call_the_api(sandbox: Sandbox, delete_photos_afterwards: None) -> None:
    environment = sandbox.cdk.environment() | {"ApiUrl": sandbox.outputs["Api"]["ApiUrl"]}
    reading, writing = (_typed(command, environment) for command in _blocks(ROOT / "docs" / "services.md"))
    assert '"next_cursor"' in reading
    assert '"upload"' in writing


def test_e2e_target_aws_runs_against_an_account(sandbox: Sandbox) -> None:
    (command,) = (command for command in _blocks(ROOT / "README.md") if "E2E_TARGET" in command)
    shown = _typed(f"source .venv/bin/activate && {command}", sandbox.cdk.environment())
    assert re.search(r"= \d\d passed, \d+ deselected in ", shown), shown


@pytest.mark.parametrize("form", sorted(command for command in _named() if command.startswith("make ")))
def test_make_passes_variables_to_commands(form: str) -> None:
    printed = subprocess.run(
        ["bash", "-c", form.replace("make ", "make --dry-run ", 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    given = dict(word.split("=", 1) for word in shlex.split(form) if "=" in word)
    assert given.items() <= _arrived(shlex.split(printed.splitlines()[-1])).items()


def _arrived(words: list[str]) -> dict[str, str]:
    """What this command has understood, by the variables of make that it came from."""
    if words[:3] == ["python", "-m", "operations"]:
        understood = operations.argument_parser().parse_args(words[3:])
        stacks, yes = getattr(understood, "stacks", []), getattr(understood, "yes", False)
        return {**dict(understood.settings), "STACKS": " ".join(stacks), "YES": "1" if yes else ""}
    if words[:3] == ["python", "-m", "local"]:
        return {"PORT": str(local.command_line().parse_args(words[3:]).port)}
    return {name.removeprefix("FUZZ_"): value for name, _, value in (word.partition("=") for word in words)}


def test_documented_commands_run() -> None:
    known = (*TYPED_BY, *TYPED_BY_NOBODY)
    assert [command for command in sorted(_named()) if not command.startswith(known)] == []
    assert [file for file in TYPED_BY.values() if not (ROOT / file).exists()] == []
