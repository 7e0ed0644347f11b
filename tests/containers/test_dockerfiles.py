"""Every Dockerfile is linted, unprivileged, reproducible, and receives the signal to stop."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.extension.dockerfile import read_dockerfile

DOCKERFILES = sorted((Path(__file__).parents[2] / "containers").glob("*/Dockerfile"))

pytestmark = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.parent.name))


def instructions(path: Path, name: str) -> list[str]:
    """The arguments of all instructions of this name, each as one line."""
    text = path.read_text().replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)", text, flags=re.MULTILINE)


def test_hadolint_finds_no_problems(path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, "--no-color", path], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_program_does_not_run_as_root(path: Path) -> None:
    # A number, because an orchestrator can then check it without the user database of the image.
    assert re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", instructions(path, "USER")[-1])


def test_base_images_come_from_amazon_ecr_public(path: Path) -> None:
    # Docker Hub limits anonymous pulls by IP address, and a build in CodeBuild shares its address with others.
    assert all(base.startswith("public.ecr.aws/") and "slim" in base for base in instructions(path, "FROM"))


def test_libraries_are_pinned_by_hash(path: Path) -> None:
    assert all("--require-hashes" in command for command in instructions(path, "RUN") if "pip install" in command)


def test_program_starts_without_a_shell(path: Path) -> None:
    # A shell would not forward the signal to stop.
    dockerfile = read_dockerfile(path.parent)
    assert (*dockerfile.entrypoint, *dockerfile.command)[0] == "python"


def test_health_check_is_declared(path: Path) -> None:
    (check,) = instructions(path, "HEALTHCHECK")
    assert ("/health" in check) if path.parent.name == "gallery" else (check == "NONE")
