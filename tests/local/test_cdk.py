"""The CDK CLI with the emulator as its target."""

from pathlib import Path

import pytest

from local.cdk import Cdk
from local.emulator import Emulator
from local.errors import SandboxError

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
