"""The Registry stack: repositories, and builds that end in time."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from image_build.builds import _RETRIED_ERRORS
from stacks.support.build_context import build_context
from tests.stub_programs import write_programs
from tests.templates import Resources, of_type, only


def test_builds_run_on_graviton_and_end_before_the_function_that_waits(registry: Resources) -> None:
    _, function = only(registry, "AWS::Lambda::Function", Handler="image_build.handler.handler")
    for project in of_type(registry, "AWS::CodeBuild::Project").values():
        properties = project["Properties"]
        assert properties["Environment"]["Type"] == "ARM_CONTAINER"
        build = (properties["QueuedTimeoutInMinutes"] + properties["TimeoutInMinutes"]) * 60
        assert max(_RETRIED_ERRORS.values()) + build < function["Timeout"]


@pytest.mark.guarantee("Deploys the first time")
@pytest.mark.parametrize(("failures", "succeeds"), [(0, True), (2, True), (3, False)])
def test_throttled_docker_build_is_repeated(registry: Resources, tmp_path: Path, failures: int, succeeds: bool) -> None:
    """ "toomanyrequests: Rate exceeded": Amazon ECR Public throttles anonymous pulls of the base image."""
    docker = 'echo "$@" >> builds\n[ "$(wc -l < builds)" -gt "$FAILURES" ]'
    write_programs(tmp_path, {"docker": docker, "sleep": ""})
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "IMAGE": "repository:tag",
        "base_image": "base",
        "FAILURES": str(failures),
    }
    for project in of_type(registry, "AWS::CodeBuild::Project").values():
        commands = json.loads(project["Properties"]["Source"]["BuildSpec"])["phases"]["build"]["commands"]
        (build,) = [command for command in commands if "docker build" in command]
        run = subprocess.run(["sh", "-c", build], cwd=tmp_path, env=environment)
        assert (run.returncode == 0) == succeeds
        builds = (tmp_path / "builds").read_text().splitlines()
        assert builds == ["build --build-arg BASE_IMAGE=base --tag repository:tag ."] * min(failures + 1, 3)
        (tmp_path / "builds").unlink()


def test_build_uses_the_base_image_of_its_context(registry: Resources, tmp_path: Path) -> None:
    write_programs(tmp_path, {"docker": '[ "$1" != build ] || echo "$@"'})
    for project in of_type(registry, "AWS::CodeBuild::Project").values():
        commands = json.loads(project["Properties"]["Source"]["BuildSpec"])["phases"]["build"]["commands"]
        printed = subprocess.run(
            ["sh", "-ec", "aws() { :; }\n" + "\n".join(commands)],
            cwd=build_context("gallery"),
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "IMAGE": "repository:tag"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "--build-arg BASE_IMAGE=public.ecr.aws/docker/library/python:" in printed


@pytest.mark.guarantee("Leaves nothing behind")
def test_repositories_are_scanned_immutable_limited_and_emptied_on_delete(registry: Resources) -> None:
    repositories = [it["Properties"] for it in of_type(registry, "AWS::ECR::Repository").values()]
    names = {f"other-compute/{image}" for image in ("gallery", "album", "thumbnailer")}
    assert {it["RepositoryName"] for it in repositories} == names
    for repository in repositories:
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert (repository["ImageTagMutability"], repository["EmptyOnDelete"]) == ("IMMUTABLE", True)
        assert '"countNumber":5' in repository["LifecyclePolicy"]["LifecyclePolicyText"]
