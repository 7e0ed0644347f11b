"""app.py as the CDK CLI runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _synth(context: dict[str, object], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder)}
    return subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_wrong_setting_ends_synth_with_one_line_and_no_traceback(tmp_path: Path) -> None:
    run = _synth({"allowed_cidr": "everyone"}, tmp_path)
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "Setting allowed_cidr: expected an IPv4 network such as 203.0.113.7/32, not wider than /8, "
        "but received 'everyone'"
    ]


@pytest.mark.slow
def test_stack_names_carry_the_name_so_that_two_people_can_share_an_account(tmp_path: Path) -> None:
    run = _synth({"name": "annas"}, tmp_path)
    assert run.returncode == 0, run.stderr
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    names = {
        name: artifact["properties"].get("stackName", name)
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert names["Thumbnails"] == "annas-Thumbnails"
    assert all(stack_name == f"annas-{stack}" for stack, stack_name in names.items())
