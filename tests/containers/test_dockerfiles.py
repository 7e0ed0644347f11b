"""Every Dockerfile: linted, small, run by nobody in particular, started in a way that lets it end."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.extension.dockerfile import read_dockerfile

CONTAINERS = Path(__file__).parents[2] / "containers"
FOLDERS = sorted(dockerfile.parent for dockerfile in CONTAINERS.glob("*/Dockerfile"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: str(folder.name))
def folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_hadolint_finds_nothing(folder: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, "--no-color", folder / "Dockerfile"], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_program_does_not_run_as_root(folder: Path) -> None:
    last_stage = (folder / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    users = re.findall(r"^USER (\S+)", last_stage, flags=re.MULTILINE)
    # By number: a host can tell that it is not root without looking into the image.
    assert users and re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1])


def test_images_come_from_where_a_build_on_aws_is_not_turned_away(folder: Path) -> None:
    # Docker Hub counts anonymous pulls by address, and builds share theirs with everybody.
    bases = re.findall(r"^FROM (\S+)", (folder / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert all(base.startswith("public.ecr.aws/") and "slim" in base for base in bases)


def test_the_libraries_are_pinned_by_hash(folder: Path) -> None:
    text = (folder / "Dockerfile").read_text()
    assert "pip install" not in text or "--require-hashes" in text


def test_no_shell_stands_between_the_program_and_the_signal_to_end(folder: Path) -> None:
    dockerfile = read_dockerfile(folder)
    assert (*dockerfile.entrypoint, *dockerfile.command)[0] == "python"


def test_whether_there_is_a_health_check_is_said(folder: Path) -> None:
    assert re.search(r"^HEALTHCHECK ", (folder / "Dockerfile").read_text(), flags=re.MULTILINE)


def test_the_web_server_has_a_health_check() -> None:
    text = (CONTAINERS / "gallery" / "Dockerfile").read_text()
    assert re.search(r"^HEALTHCHECK .*\\\n.*/health", text, flags=re.MULTILINE)
