"""The Makefile passes variables to the commands and finds the tools of this folder."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True)


def _last_command(*arguments: str) -> list[str]:
    return _make("--dry-run", *arguments).stdout.splitlines()[-1].split()


@pytest.mark.parametrize("command", ["preflight", "deploy", "destroy", "cost", "key", "redrive"])
def test_operation_targets_pass_settings(command: str) -> None:
    assert _last_command(command) == ["python", "-m", "operations", command]
    assert _last_command(command, "name=annas") == ["python", "-m", "operations", "-c", '"name=annas"', command]


def test_deploy_target_passes_stacks_settings_and_confirmation() -> None:
    assert _last_command("deploy", "STACKS=Cron Ecs", "allowed_cidr=9.9.9.9/32", "YES=1")[3:] == [
        "-c", '"allowed_cidr=9.9.9.9/32"', "deploy", "Cron", "Ecs", "--yes",
    ]  # fmt: skip


def test_targets_ignore_environment_variables_with_the_name_of_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("name", "annas")
    assert _last_command("cost") == ["python", "-m", "operations", "cost"]


@pytest.mark.parametrize("target", ["destroy", "synth"])
def test_unknown_variables_are_rejected(target: str) -> None:
    run = _make(target, "nmae=annas")
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1
    assert "Unknown variable nmae. Allowed: name allowed_cidr " in run.stderr


def test_recipes_find_the_tools_of_this_folder(tmp_path: Path) -> None:
    makefile = tmp_path / "tools.mk"
    makefile.write_text("include Makefile\nwhich:\n\t@command -v python node npm cdk\n\t@npm --version\n")
    run = _make("-f", str(makefile), "which")
    *found, npm_version = run.stdout.splitlines()
    assert found == [
        *(f"{ROOT}/.venv/bin/{name}" for name in ("python", "node", "npm")),
        f"{ROOT}/node_modules/.bin/cdk",
    ]
    assert npm_version.split(".")[0].isdigit()
    assert (ROOT / ".venv" / "bin" / "node").is_symlink(), "setup replaces the script of the wheel, which breaks Ctrl-C"
