"""Every program has `--help`, writes errors to standard error, and exits with 2 for invalid arguments."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Folders with programs. The CDK CLI starts `app.py`.
_PACKAGES = [
    *((package, ".") for package in ("local", "operations", "tools", "stacks")),
    *((image, f"containers/{image}") for image in ("album", "thumbnailer")),
]


def _programs() -> list[tuple[str, Path]]:
    """Return the modules that can be started, each with the folder to start it in."""
    found = []
    for package, folder in _PACKAGES:
        for file in sorted((ROOT / folder / package).rglob("*.py")):
            if '__name__ == "__main__"' in file.read_text():
                module = ".".join(file.relative_to(ROOT / folder).with_suffix("").parts)
                found.append((module.removesuffix(".__main__"), ROOT / folder))
    return found


def _run(*command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lambda_src")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_make_lists_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    run = _run("make", "--no-print-directory")
    assert (run.returncode, run.stderr) == (0, "")
    assert re.findall(r"^make ([a-z-]+) +[A-Z].{10,}$", run.stdout, re.MULTILINE) == phony.split()


def test_unknown_target_is_an_error() -> None:
    run = _run("make", "demonstration")
    assert (run.returncode, run.stdout) == (2, "")
    assert "demonstration" in run.stderr


def test_program_discovery_finds_known_programs() -> None:
    assert {"local", "operations", "tools.setup", "album"} <= {module for module, _ in _programs()}


# Prints the help of a program and of each of its commands. One process, because most take long to import.
_PRINT_HELP = r"""
import contextlib, io, re, runpy, sys
def help(*command):
    sys.argv[1:] = [*command, "--help"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            assert end.code in (None, 0), end.code
    return output.getvalue()
sys.path.insert(0, "")
module = sys.argv[1]
text = help()
commands = re.findall(r"\{([a-z,]+)\}", text.partition("\n\n")[0])
print(text, *(help(name) for names in commands for name in names.split(",")), sep="\0", end="")
"""


@pytest.mark.parametrize(("module", "folder"), _programs(), ids=lambda value: value if isinstance(value, str) else "")
def test_program_documents_its_options_and_rejects_unknown_ones(module: str, folder: Path) -> None:
    run = _run(sys.executable, "-c", _PRINT_HELP, module, folder=folder)
    assert (run.returncode, run.stderr) == (0, "")
    for text in run.stdout.split("\0"):
        usage, _, rest = text.partition("\n\n")
        assert usage.startswith("usage: ")
        assert re.match(r"[A-Z].*\.\n", rest, re.DOTALL), f"no description: {text}"
        assert re.findall(r"^  -(?!.* {2}\S).*(?!\n {24})$", text, re.MULTILINE) == [], "options without a help text"
        assert "\x1b" not in text, "color in a pipe"
    run = _run(sys.executable, "-m", module, "--no-such-option", folder=folder)
    assert (run.returncode, run.stdout) == (2, "")
    assert re.search(r"^\S.*: error: ", run.stderr, re.MULTILINE)
    assert "Traceback" not in run.stderr


def test_gallery_server_has_help() -> None:
    run = _run(sys.executable, "containers/gallery/gallery.py", "--help")
    assert run.returncode == 0
    assert "API_URL" in run.stdout
