"""The setup reports in one line what is missing, and how to continue."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.documented_commands import run_in_terminal
from tests.stub_programs import write_programs

ROOT = Path(__file__).parent.parent.parent
SETUP = str(ROOT / "tools" / "setup.py")


@pytest.fixture(autouse=True)
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [SETUP])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing but the setup."""
    (tmp_path / "tools").mkdir()
    shutil.copy(SETUP, tmp_path / "tools")
    return tmp_path


def _create_venv(folder: Path, script: str) -> None:
    """Write a virtual environment whose programs are this shell script."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    write_programs(programs, dict.fromkeys(("pip", "python", "npm"), script))


# A script for programs that runs pip, and succeeds at all else.
_REAL_PIP = f'[ "$2" != pip ] || exec {sys.executable} "$@"'


def _start(folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "tools/setup.py"],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_old_python_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit, match=r"3\.11 or newer .* 3\.9 .*make PYTHON="):
        runpy.run_path(SETUP, run_name="__main__")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_venv_module_is_reported(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        runpy.run_path(SETUP, run_name="__main__")


def test_failed_step_is_reported_when_pypi_is_unreachable(folder: Path) -> None:
    (folder / "requirements.txt").write_text("missing-package==1\n")
    _create_venv(folder, _REAL_PIP)
    setup = _start(folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder))
    _, errors = setup.communicate()
    assert setup.returncode == 1
    *reasons, failure = errors.splitlines()
    assert failure.startswith("Setup failed at: 2/4 ") and "PyPI" in failure
    assert any("No matching distribution" in reason for reason in reasons)
    assert not (folder / ".venv" / "ready").exists()


def test_changed_package_is_rejected_with_its_name_and_hashes(folder: Path) -> None:
    with zipfile.ZipFile(folder / "some_package-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("some_package.py", "import os")
    (folder / "requirements.txt").write_text(f"some-package==1 --hash=sha256:{'0' * 64}\n")
    _create_venv(folder, _REAL_PIP)
    setup = _start(folder, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder))
    _, errors = setup.communicate()
    assert setup.returncode == 1
    assert all(text in errors for text in ("some-package==1", f"Expected sha256 {'0' * 64}", "Got  "))


def test_packages_are_installed_with_the_pinned_hashes_only(folder: Path) -> None:
    _create_venv(folder, 'echo "$*" >> commands')
    _start(folder).communicate()
    (install,) = [line for line in (folder / "commands").read_text().splitlines() if "requirements.txt" in line]
    assert "--require-hashes" in install.split()


@pytest.mark.slow
def test_terminal_shows_what_each_step_waits_for_on_one_line(folder: Path) -> None:
    _create_venv(folder, "echo Downloading some-package; sleep 1.5")
    printed = run_in_terminal(f"cd {folder} && COLUMNS=60 {sys.executable} tools/setup.py", dict(os.environ))
    _, *lines = re.split(r"[\r\n]+", printed)
    assert max(map(len, lines)) < 60
    for step in ("2/4", "3/4", "4/4"):
        assert any(line.startswith(step) and ": Downloading some" in line for line in lines), printed


@pytest.mark.parametrize(
    "file",
    [
        ROOT / "requirements.txt",
        *ROOT.glob("lambda_src/*/requirements.txt"),
        *ROOT.glob("containers/*/requirements.txt"),
    ],
    ids=lambda file: str(file.relative_to(ROOT).parent),
)
def test_requirements_pin_every_package_by_hash_and_allow_wheels_only(file: Path) -> None:
    options, _, pins = file.read_text().partition("\n\n")
    assert options == "--only-binary :all:"
    lines = pins.replace("\\\n", " ").splitlines()
    assert lines and not [line for line in lines if not re.fullmatch(r"[\w.-]+==.* --hash=sha256:[0-9a-f]{64}", line)]


def test_concurrent_setups_run_once(folder: Path) -> None:
    _create_venv(folder, "sleep 0.5")
    both = [_start(folder), _start(folder)]
    printed = sorted((setup.communicate()[0] for setup in both), key=len)
    assert [setup.returncode for setup in both] == [0, 0]
    assert ["4/4" in text for text in printed] == [False, True]


@pytest.mark.slow
def test_interrupted_venv_is_recreated(folder: Path) -> None:
    _create_venv(folder, "false")
    (folder / ".venv" / "bin" / "pip").unlink()
    assert "1/4 " in _start(folder).communicate()[0]
    assert (folder / ".venv" / "bin" / "pip").exists()


def test_package_whose_installation_was_interrupted_is_installed_again(folder: Path) -> None:
    _create_venv(folder, "true")
    complete, interrupted = (
        folder / ".venv" / "lib" / "python3.11" / "site-packages" / f"{name}-1.dist-info" for name in ("some", "other")
    )
    for metadata in (complete, interrupted):
        metadata.mkdir(parents=True)
        (metadata / "METADATA").touch()
    (complete / "RECORD").touch()
    assert "complete" in _start(folder).communicate()[0]
    assert complete.is_dir() and not interrupted.exists()


def test_ctrl_c_prints_one_line(folder: Path) -> None:
    _create_venv(folder, "sleep 0.3; kill -INT $PPID; sleep 30")
    setup = _start(folder)
    _, errors = setup.communicate()
    assert setup.returncode == 1
    assert errors.startswith("\nStopped at: 2/4 ") and errors.count("\n") == 2


def test_missing_python_is_reported() -> None:
    command = ["make", "setup", "PYTHON=missing-python", "--always-make"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode != 0
    assert "missing-python not found" in run.stderr
