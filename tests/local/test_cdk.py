"""The CDK CLI with the emulator as its target."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.cdk import Cdk
from local.console import Step, step
from local.emulator import Emulator
from local.errors import SandboxError
from local.sandbox import running_sandbox
from tests.stub_programs import write_programs

pytestmark = pytest.mark.slow


def test_synth_reports_an_invalid_setting_and_the_log(emulator: Emulator) -> None:
    cdk = Cdk(emulator, {"name": "invalid", "time_zone": "Mars"})
    with pytest.raises(SandboxError) as error:
        cdk.synth()
    heading, reason, log = str(error.value).splitlines()
    assert "synth" in heading
    assert "time_zone" in reason and "'Mars'" in reason
    assert str(cdk.log) in log
    assert "time_zone=Mars" in cdk.log.read_text()
    cdk.log.unlink()


def test_deploy_reports_why_it_failed_and_the_log(emulator: Emulator) -> None:
    cdk = Cdk(emulator)
    cdk.synth()
    with pytest.raises(SandboxError) as error:
        cdk.deploy("Thumbnails")  # into an account that is not bootstrapped
    assert "bootstrap" in str(error.value)
    assert str(cdk.log) in str(error.value)
    cdk.log.unlink()


def test_temporary_files_of_the_cli_are_in_the_sandbox_folder(emulator: Emulator) -> None:
    folder = Path(Cdk(emulator, {"name": "temporary"}).environment()["TMPDIR"])
    assert folder.is_dir()
    assert folder.is_relative_to(emulator.folder)


def test_each_command_of_the_cli_shows_what_it_waits_for(
    assembly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []

    @contextmanager
    def recorded_step(description: str, progress: Step | None = None) -> Iterator[Step]:
        with step(description, progress) as found:
            yield found
        shown.append((description.split()[1], found.waits_for))

    write_programs(tmp_path, {"cdk": 'echo "Installing the libraries of $2 …"'})
    monkeypatch.setattr("operations.cdk._CLI", tmp_path / "cdk")
    monkeypatch.setattr("local.sandbox.step", recorded_step)
    with running_sandbox() as sandbox:
        sandbox.cdk.assembly = assembly
        sandbox.update()  # All stacks are new.
        sandbox.deploy()
        sandbox.destroy()
    commands = ["synth", "bootstrap", "synth", "deploy", "deploy", "destroy"]
    assert shown == [(command, f"Installing the libraries of {command} …") for command in commands]
