"""The Registry stack: what its template promises."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template


@pytest.fixture(scope="module")
def registry(template: Callable[[str], Template]) -> Template:
    return template("Registry")


def test_outputs_of_the_contract(registry: Template) -> None:
    assert {"GalleryRepository", "AlbumRepository"} <= set(registry.to_json()["Outputs"])


@pytest.mark.guarantee("Leaves nothing behind")
@pytest.mark.parametrize("image", ["gallery", "album"])
def test_repositories_are_scanned_immutable_bounded_and_emptied(registry: Template, image: str) -> None:
    registry.has_resource(
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


def test_images_are_built_on_graviton_by_a_build_that_ends_before_who_waits_for_it(registry: Template) -> None:
    (waiter,) = [
        function["Properties"]
        for function in registry.find_resources("AWS::Lambda::Function").values()
        if function["Properties"]["Handler"] == "image_build.handler.handler"
    ]
    for project in registry.find_resources("AWS::CodeBuild::Project").values():
        properties = project["Properties"]
        assert properties["Environment"]["Type"] == "ARM_CONTAINER"
        assert (properties["QueuedTimeoutInMinutes"] + properties["TimeoutInMinutes"]) * 60 < waiter["Timeout"]


def test_an_image_is_tagged_by_what_it_is_made_from(registry: Template, assembly: Path) -> None:
    sources = json.loads((assembly / "Registry.assets.json").read_text())["files"]
    hashes = {source[:32] for source in sources}
    for built in registry.find_resources("Custom::ContainerImage").values():
        assert built["Properties"]["ImageTag"] in hashes


def test_the_roles_reach_no_other_repository_project_or_log(registry: Template) -> None:
    for policy in registry.find_resources("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Resource"] == "*":
                assert set(_actions(statement)) <= {
                    "ecr:GetAuthorizationToken",
                    "xray:PutTraceSegments",
                    "xray:PutTelemetryRecords",
                }


def _actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions
