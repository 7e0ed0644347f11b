"""The Thumbnails stack: who can upload from a browser, and how a batch of photos fails."""

from pathlib import Path

import pytest

from tests.templates import Resources, of_type, only, read_resources


@pytest.fixture(scope="module")
def thumbnails(assembly: Path) -> Resources:
    return read_resources(assembly, "Thumbnails")


def test_only_originals_accept_posts_from_pages_of_any_origin(thumbnails: Resources) -> None:
    buckets = of_type(thumbnails, "AWS::S3::Bucket").items()
    rules = {name: bucket["Properties"].get("CorsConfiguration", {}).get("CorsRules") for name, bucket in buckets}
    (originals,) = [rules.pop(name) for name in list(rules) if name.startswith("Originals")]
    assert [(rule["AllowedMethods"], rule["AllowedOrigins"]) for rule in originals] == [(["POST"], ["*"])]
    assert list(rules.values()) == [None]


def test_one_failed_photo_does_not_return_the_whole_batch_to_the_queue(thumbnails: Resources) -> None:
    _, mapping = only(thumbnails, "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
