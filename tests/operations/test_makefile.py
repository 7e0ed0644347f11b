"""What `make` passes on to the operations."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def _runs(*arguments: str, **environment: str) -> list[str]:
    """The words of the last command that make would run."""
    run = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("command", ["deploy", "destroy", "cost", "key", "redrive"])
def test_each_operation_has_a_target_that_takes_the_name(command: str) -> None:
    assert _runs(command) == ["python", "-m", "operations", command]
    assert _runs(command, "name=annas") == ["python", "-m", "operations", "-c", '"name=annas"', command]


def test_deploy_takes_stacks_settings_and_a_yes_beforehand() -> None:
    assert _runs("deploy", "STACKS=Cron Ecs", "allowed_cidr=9.9.9.9/32", "YES=1")[3:] == [
        "-c", '"allowed_cidr=9.9.9.9/32"', "deploy", "Cron", "Ecs", "--yes",
    ]  # fmt: skip


def test_what_the_environment_calls_a_name_is_not_ours() -> None:
    assert _runs("cost", name="somebody") == ["python", "-m", "operations", "cost"]


def test_a_misspelt_setting_stops_before_anything_is_done_to_the_usual_copy() -> None:
    run = subprocess.run(["make", "destroy", "nmae=annas"], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1
    assert "There is no nmae. Known are: name allowed_cidr " in run.stderr
