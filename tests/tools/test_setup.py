"""Setting up on machines that lack something: one line says what, and how to get it."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SETUP = str(ROOT / "local" / "setup.py")


@pytest.fixture(autouse=True)
def without_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [SETUP])


def test_an_old_python_is_told_how_to_get_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed, this is 3\.9 .*make PYTHON="):
        runpy.run_path(SETUP, run_name="__main__")


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        runpy.run_path(SETUP, run_name="__main__")


def test_without_a_network_the_failed_step_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "setup.py").write_bytes(Path(SETUP).read_bytes())
    (tmp_path / "requirements.txt").write_text("six==1.17.0\n")
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "tools/setup.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == (
        "Setting up failed at: 2/4 Python libraries and node. Is PyPI reachable from here "
        "(network, proxy, certificates)? Nothing is lost: run make again."
    )
    assert not (tmp_path / ".venv" / "ready").exists()


def _stands_in_for_venv(folder: Path, script: str) -> None:
    bin_folder = folder / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "pip").touch()
    for name in ("python", "npm"):
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)


def test_two_at_once_set_up_once(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "setup.py").write_bytes(Path(SETUP).read_bytes())
    _stands_in_for_venv(tmp_path, "sleep 0.5")
    command = [sys.executable, "tools/setup.py"]
    both = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = sorted(one.communicate()[0] for one in both)
    assert [one.returncode for one in both] == [0, 0]
    assert printed[0].startswith("Setting up, once:")
    assert printed[1] == "This folder is being set up already, waiting for that.\n"


def test_a_virtual_environment_that_was_not_finished_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "setup.py").write_bytes(Path(SETUP).read_bytes())
    _stands_in_for_venv(tmp_path, "false")
    (tmp_path / ".venv" / "bin" / "pip").unlink()
    run = subprocess.run([sys.executable, "tools/setup.py"], cwd=tmp_path, capture_output=True, text=True)
    assert "1/4 virtual environment" in run.stdout
    assert (tmp_path / ".venv" / "bin" / "pip").exists()


def test_ctrl_c_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "setup.py").write_bytes(Path(SETUP).read_bytes())
    _stands_in_for_venv(tmp_path, "sleep 0.3; kill -INT $PPID; sleep 30; touch too-late")
    run = subprocess.run([sys.executable, "tools/setup.py"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == "\nStopped at: 2/4 Python libraries and node. Run make again to go on.\n"


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    run = subprocess.run(
        ["make", "setup", "PYTHON=python-of-nowhere", "--always-make"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "python-of-nowhere not found" in run.stderr
