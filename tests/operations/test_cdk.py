"""The CDK CLI wrapper and the cloud assembly."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from operations.cdk import Assembly, cdk_json_context, run_cdk, synthesize
from operations.errors import OperationError
from stacks.support.settings import Settings

ROOT = Path(__file__).parent.parent.parent


def test_with_dependencies_includes_indirect_dependencies(assembly: Path) -> None:
    stacks = Assembly(assembly)
    assert stacks.with_dependencies({"Cron"}) == {"Cron", "Thumbnails"}
    assert stacks.with_dependencies({"Batch", "Lightsail"}) >= {"Network", "Registry", "Thumbnails"}
    assert stacks.with_dependencies(set()) == set()


def test_with_dependencies_rejects_an_unknown_stack(assembly: Path) -> None:
    with pytest.raises(OperationError, match=r"Unknown stack Cronn\. Allowed: .*Cron, "):
        Assembly(assembly).with_dependencies({"Cronn"})


@pytest.mark.slow
def test_synthesize_reports_an_invalid_setting_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match=r"^Setting time_zone: .*'Mars'$"):
        synthesize(tmp_path, {"time_zone": "Mars"})


def test_run_cdk_fails_when_the_cli_fails_with_its_output_in_the_log(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as log, pytest.raises(OperationError, match="`cdk list` failed"):
        run_cdk("list", "--app", str(tmp_path / "nothing"), log=log)
    assert (tmp_path / "log").read_text()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
def test_run_cdk_honors_no_color_in_a_terminal(no_color: str, colored: bool) -> None:
    controller, terminal = pty.openpty()
    environment = os.environ | {"NO_COLOR": no_color, "TERM": "xterm-256color"}
    program = "from operations.cdk import run_cdk; run_cdk('list', '--app', 'false')"
    subprocess.run([sys.executable, "-c", program], env=environment, stderr=terminal, stdout=terminal, cwd=ROOT)
    os.close(terminal)
    written = os.read(controller, 65536)
    os.close(controller)
    assert b"Subprocess exited" in written
    assert (b"\x1b[" in written) == colored


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"context": {"name": "annas" "target": "aws"}}', "cdk.json .* line 1 column 30"),
        ("{}", "cdk.json has no 'context'"),
        ('{"context": {"name": 7}}', "Setting name .* received 7"),
    ],
)
def test_cdk_json_context_rejects_an_invalid_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    (tmp_path / "cdk.json").write_text(text)
    monkeypatch.setattr("operations.cdk._ROOT", tmp_path)
    with pytest.raises(OperationError, match=message):
        cdk_json_context()


def test_cdk_json_context_has_the_default_name_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text('{"context": {}}')
    monkeypatch.setattr("operations.cdk._ROOT", tmp_path)
    assert cdk_json_context() == {"name": Settings().name}
