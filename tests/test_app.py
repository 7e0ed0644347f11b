"""app.py as the CDK CLI runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _synth(context: dict[str, object], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder), **variables}
    return subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_invalid_setting_stops_synthesis_with_one_line_instead_of_a_traceback(tmp_path: Path) -> None:
    run = _synth({"allowed_cidr": "everyone"}, tmp_path)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith("Setting allowed_cidr: ") and line.endswith("'everyone'")


@pytest.mark.slow
def test_stack_names_start_with_the_setting_name(tmp_path: Path) -> None:
    run = _synth({"name": "annas"}, tmp_path)
    assert run.returncode == 0, run.stderr
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    names = {
        name: artifact["properties"].get("stackName", name)
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert {name: artifacts[name]["properties"]["tags"] for name in names} == {
        name: {"project": "annas"} for name in names
    }
    assert names["Thumbnails"] == "annas-Thumbnails"
    assert all(stack_name == f"annas-{stack}" for stack, stack_name in names.items())


@pytest.mark.slow
@pytest.mark.parametrize(("context", "is_arm64"), [({}, False), ({"target": "aws"}, True)])
def test_synthesis_for_an_emulator_packages_for_this_machine_unless_the_target_is_given(
    context: dict[str, object], is_arm64: bool, tmp_path: Path
) -> None:
    run = _synth(context, tmp_path, AWS_ENDPOINT_URL="http://127.0.0.1:4566")
    assert run.returncode == 0, run.stderr
    libraries = [file for file in tmp_path.glob("asset.*/PIL/*.so") if "cpython-313-aarch64" in file.name]
    assert bool(libraries) is is_arm64
