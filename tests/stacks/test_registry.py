"""The Registry stack: repositories, and builds that end in time."""

from pathlib import Path

import pytest

from tests.templates import Resources, of_type, only, read_resources


@pytest.fixture(scope="module")
def registry(assembly: Path) -> Resources:
    return read_resources(assembly, "Registry")


def test_builds_run_on_graviton_and_end_before_the_function_that_waits(registry: Resources) -> None:
    _, function = only(registry, "AWS::Lambda::Function", Handler="image_build.handler.handler")
    for project in of_type(registry, "AWS::CodeBuild::Project").values():
        properties = project["Properties"]
        assert properties["Environment"]["Type"] == "ARM_CONTAINER"
        assert (properties["QueuedTimeoutInMinutes"] + properties["TimeoutInMinutes"]) * 60 < function["Timeout"]


@pytest.mark.guarantee("Leaves nothing behind")
def test_repositories_are_scanned_immutable_limited_and_emptied_on_delete(registry: Resources) -> None:
    repositories = [it["Properties"] for it in of_type(registry, "AWS::ECR::Repository").values()]
    assert {it["RepositoryName"] for it in repositories} == {"other-compute/gallery", "other-compute/album"}
    for repository in repositories:
        assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
        assert (repository["ImageTagMutability"], repository["EmptyOnDelete"]) == ("IMMUTABLE", True)
        assert '"countNumber":5' in repository["LifecyclePolicy"]["LifecyclePolicyText"]
