"""The Thumbnails stack: who can upload from a browser, how a batch of photos fails, and what consumes the queue."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.templates import STATEFUL_TYPES, Resources, of_type, only, read_resources


def test_only_originals_accept_posts_from_pages_of_any_origin(thumbnails: Resources) -> None:
    buckets = of_type(thumbnails, "AWS::S3::Bucket").items()
    rules = {name: bucket["Properties"].get("CorsConfiguration", {}).get("CorsRules") for name, bucket in buckets}
    (originals,) = [rules.pop(name) for name in list(rules) if name.startswith("Originals")]
    assert [(rule["AllowedMethods"], rule["AllowedOrigins"]) for rule in originals] == [(["POST"], ["*"])]
    assert list(rules.values()) == [None]


def test_one_failed_photo_does_not_return_the_whole_batch_to_the_queue(thumbnails: Resources) -> None:
    _, mapping = only(thumbnails, "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_function_from_an_image_differs_only_in_its_code(
    thumbnails: Resources, synthesize: Callable[..., Path]
) -> None:
    from_image = read_resources(synthesize(thumbnails_on="lambda-image"), "Thumbnails")
    assert from_image.keys() == thumbnails.keys()
    ((name, package),) = of_type(thumbnails, "AWS::Lambda::Function", Handler="thumbnail.handler.handler").items()
    image = from_image[name]["Properties"]
    assert image["PackageType"] == "Image"
    assert image["ImageConfig"] == {
        "EntryPoint": ["python", "-m", "awslambdaric"],
        "Command": [package["Properties"]["Handler"]],
    }
    of_a_package = ("Code", "Handler", "Runtime")
    common = {key: value for key, value in package["Properties"].items() if key not in of_a_package}
    assert {key: value for key, value in image.items() if key in common} == common
    assert {key for key in thumbnails if thumbnails[key] != from_image[key]} == {name}


@pytest.mark.parametrize("compute", ["fargate", "ec2"])
def test_workers_leave_only_the_function_out(
    thumbnails: Resources, synthesize: Callable[..., Path], compute: str
) -> None:
    without = read_resources(synthesize(thumbnails_on=compute), "Thumbnails")
    assert without.keys() < thumbnails.keys()
    changed = {key for key in without if without[key] != thumbnails[key]}
    assert {without[key]["Type"] for key in changed} == {"AWS::CloudWatch::Alarm"}  # its description
    removed = {thumbnails[key]["Type"] for key in thumbnails.keys() - without.keys()}
    assert {"AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping"} <= removed
    assert not removed & STATEFUL_TYPES - {"AWS::Logs::LogGroup"}
