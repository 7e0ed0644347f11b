"""The Registry stack: repositories, and builds that end in time."""

import json
from pathlib import Path

import pytest
from aws_cdk.assertions import Match, Template

from tests.templates import Resources, of_type, only, read_resources


@pytest.fixture(scope="module")
def registry(assembly: Path) -> Resources:
    return read_resources(assembly, "Registry")


@pytest.mark.guarantee("Leaves nothing behind")
@pytest.mark.parametrize("image", ["gallery", "album"])
def test_repository_is_scanned_immutable_limited_and_emptied_on_delete(assembly: Path, image: str) -> None:
    template = Template.from_string((assembly / "Registry.template.json").read_text())
    template.has_resource(
        "AWS::ECR::Repository",
        {
            "DeletionPolicy": "Delete",
            "Properties": {
                "RepositoryName": f"other-compute/{image}",
                "ImageScanningConfiguration": {"ScanOnPush": True},
                "ImageTagMutability": "IMMUTABLE",
                "EmptyOnDelete": True,
                "LifecyclePolicy": {"LifecyclePolicyText": Match.string_like_regexp('"countNumber":5')},
            },
        },
    )


def test_builds_run_on_graviton_and_end_before_the_function_that_waits(registry: Resources) -> None:
    _, function = only(registry, "AWS::Lambda::Function", Handler="image_build.handler.handler")
    for project in of_type(registry, "AWS::CodeBuild::Project").values():
        properties = project["Properties"]
        assert properties["Environment"]["Type"] == "ARM_CONTAINER"
        assert (properties["QueuedTimeoutInMinutes"] + properties["TimeoutInMinutes"]) * 60 < function["Timeout"]


def test_image_tag_is_the_hash_of_its_build_context(registry: Resources, assembly: Path) -> None:
    sources = json.loads((assembly / "Registry.assets.json").read_text())["files"]
    tags = {image["Properties"]["ImageTag"] for image in of_type(registry, "Custom::ContainerImage").values()}
    assert tags <= {source[:32] for source in sources}
