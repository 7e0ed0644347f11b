"""Manners at a terminal: `make` alone lists what there is, every program has `--help`, errors go where errors go."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()

# Folders with programs. The CDK CLI starts `app.py`; the emulator starts `tests/soak/pythonpath`.
_SOURCES = [("local", "."), ("operations", "."), ("tools", "."), ("stacks", "."), ("album", "containers/album")]


def _programs() -> list[tuple[str, Path]]:
    found = []
    for package, folder in _SOURCES:
        for file in sorted((ROOT / folder / package).rglob("*.py")):
            if '__name__ == "__main__"' in file.read_text() and file.name != "fault_injection.py":
                module = ".".join(file.relative_to(ROOT / folder).with_suffix("").parts)
                found.append((module.removesuffix(".__main__"), ROOT / folder))
    return found


def _run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lambda_src")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_make_alone_lists_every_target_with_one_line() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    printed = _run("make", "--no-print-directory")
    lines = printed.stdout.splitlines()
    assert (printed.returncode, printed.stderr) == (0, "")
    assert [line.split()[1] for line in lines] == phony.split()
    assert [line for line in lines if not re.fullmatch(r"make [a-z-]+ +[A-Z].{10,}", line)] == []


def test_a_target_that_does_not_exist_is_an_error() -> None:
    run = _run("make", "demonstration")
    assert (run.returncode, run.stdout) == (2, "")
    assert "demonstration" in run.stderr


def test_the_programs_are_found() -> None:
    names = [module for module, _ in _programs()]
    assert {
        "local",
        "tools.setup",
        "tools.tables",
        "operations",
        "tools.benchmark",
        "stacks.support.deployment_package",
        "album",
    } <= set(names)


@pytest.mark.parametrize(("module", "folder"), _programs(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_program_has_help(module: str, folder: Path) -> None:
    helps = [_help(module, folder)]
    (commands,) = re.findall(r"\{([a-z,]+)\}", helps[0].partition("\n\n")[0]) or [""]
    helps += [_help(module, folder, command) for command in commands.split(",") if command]
    for printed in helps:
        usage, _, explained = printed.partition("\n\n")
        assert usage.startswith("usage: ")
        assert re.match(r"[A-Z].*\.\n", explained, re.DOTALL), f"says what it does: {printed}"
        unexplained = re.findall(r"^  -(?!.* {2}\S).*(?!\n {24})$", printed, re.MULTILINE)
        assert unexplained == [], "says what each option is for"
        assert "\x1b" not in printed


def _help(module: str, folder: Path, *command: str) -> str:
    run = _run(sys.executable, "-m", module, *command, "--help", folder=folder)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


@pytest.mark.parametrize(("module", "folder"), _programs(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_option_is_told_on_stderr_with_status_2(module: str, folder: Path) -> None:
    run = _run(sys.executable, "-m", module, "--no-such-option", folder=folder)
    assert (run.returncode, run.stdout) == (2, "")
    assert re.search(r"^\S.*: error: ", run.stderr, re.MULTILINE)
    assert "Traceback" not in run.stderr


def test_the_gallery_has_help_too() -> None:
    run = _run(sys.executable, "containers/gallery/gallery.py", "--help")
    assert run.returncode == 0
    assert "API_URL" in run.stdout
