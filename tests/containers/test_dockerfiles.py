"""Every Dockerfile is linted, unprivileged, reproducible, and receives the signal to stop."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.extension.dockerfile import read_dockerfile

CONTAINERS = Path(__file__).parents[2] / "containers"
DOCKERFILES = sorted(CONTAINERS.glob("*/Dockerfile"))

each_image = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.parent.name))


def instructions(path: Path, name: str) -> list[str]:
    """The arguments of all instructions of this name, each as one line."""
    text = path.read_text().replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)", text, flags=re.MULTILINE)


@pytest.mark.parametrize("path", [CONTAINERS / "base.Dockerfile", *DOCKERFILES], ids=lambda path: str(path.parent.name))
def test_hadolint_finds_no_problems(path: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, "--no-color", path], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@each_image
def test_program_does_not_run_as_root(path: Path) -> None:
    # A number, because an orchestrator can then check it without the user database of the image.
    assert re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", instructions(path, "USER")[-1])


def test_base_image_comes_from_amazon_ecr_public() -> None:
    # Docker Hub limits anonymous pulls by IP address, and a build in CodeBuild shares its address with others.
    (base,) = instructions(CONTAINERS / "base.Dockerfile", "FROM")
    assert base.startswith("public.ecr.aws/") and "slim" in base


@each_image
def test_only_base_dockerfile_names_the_base_image(path: Path) -> None:
    assert {base.partition(" ")[0] for base in instructions(path, "FROM")} == {"${BASE_IMAGE}"}


@each_image
def test_libraries_are_pinned_by_hash(path: Path) -> None:
    assert all("--require-hashes" in command for command in instructions(path, "RUN") if "pip install" in command)


@each_image
def test_program_starts_without_a_shell(path: Path) -> None:
    # A shell would not forward the signal to stop.
    dockerfile = read_dockerfile(path.parent)
    assert (*dockerfile.entrypoint, *dockerfile.command)[0] == "python"


@each_image
def test_health_check_is_declared(path: Path) -> None:
    (check,) = instructions(path, "HEALTHCHECK")
    assert ("/health" in check) if path.parent.name == "gallery" else (check == "NONE")
