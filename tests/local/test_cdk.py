"""The CDK CLI against the emulator: what is said when it fails."""

from pathlib import Path

import pytest

from local.cdk import Cdk
from local.emulator import running_emulator
from local.errors import SandboxError


def test_a_wrong_setting_is_told_as_the_app_tells_it() -> None:
    with pytest.raises(SandboxError) as error, running_emulator() as emulator:
        cdk = Cdk(emulator, {"time_zone": "Mars"})
        cdk.synth()
    assert str(error.value).splitlines() == [
        "`cdk synth` failed:",
        "  Setting time_zone: expected an IANA time zone such as Europe/Vienna, but received 'Mars'",
        f"The whole log: {cdk.log}",
    ]
    assert "time_zone=Mars" in cdk.log.read_text()
    cdk.log.unlink()
    emulator.log.unlink()


def test_a_failed_deployment_is_told_with_the_log() -> None:
    with pytest.raises(SandboxError) as error, running_emulator() as emulator:
        cdk = Cdk(emulator)
        cdk.synth()
        cdk.deploy("Thumbnails")  # into an account that is not bootstrapped
    assert "`cdk deploy` failed:" in str(error.value)
    assert "bootstrap" in str(error.value)
    assert str(cdk.log) in str(error.value)
    cdk.log.unlink()
    emulator.log.unlink()


def test_what_it_unpacks_goes_with_the_emulator() -> None:
    with running_emulator() as emulator:
        temporary = Path(Cdk(emulator).environment()["TMPDIR"])
        assert temporary.is_dir()
        assert temporary.is_relative_to(emulator.folder)
    assert not temporary.exists()
