"""Fixtures for the Lambda code: AWS mocked in process, with the table as the Thumbnails stack defines it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import pytest
from aws_cdk.assertions import Template
from botocore.client import BaseClient
from moto import mock_aws

from photos.catalogue import Catalogue
from photos.listing import Listing
from photos.thumbnails import Thumbnailer
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, RecordedBatch

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@contextmanager
def mocked_aws(template: Template) -> Iterator[MockedAws]:
    """Mock AWS with empty buckets and the empty table of this template. moto is not thread-safe: calls take turns."""
    make_api_call = getattr(BaseClient, "_make_api_call")  # noqa: B009  # not in botocore's types
    turn = threading.RLock()

    def call(*arguments: Any) -> Any:
        with turn:
            return make_api_call(*arguments)

    with mock_aws(), patch.object(BaseClient, "_make_api_call", call):
        yield create_resources(boto3.client("s3"), boto3.client("dynamodb"), template)


def create_resources(s3: "S3Client", dynamodb: "DynamoDBClient", template: Template) -> MockedAws:
    """Create empty buckets and the empty table of this template."""
    (table,) = template.find_resources("AWS::DynamoDB::Table").values()
    properties = table["Properties"]
    s3.create_bucket(Bucket=ORIGINALS)
    s3.create_bucket(Bucket=THUMBNAILS)
    dynamodb.create_table(
        TableName=CATALOGUE,
        **{name: properties[name] for name in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")},
        BillingMode=properties["BillingMode"],
    )
    return MockedAws(s3, dynamodb)


@pytest.fixture
def aws(template: Callable[[str], Template]) -> Iterator[MockedAws]:
    """A mocked AWS without photos."""
    with mocked_aws(template("Thumbnails")) as aws:
        yield aws


@pytest.fixture
def catalogue(aws: MockedAws) -> Catalogue:
    return aws.catalogue


@pytest.fixture
def listing(aws: MockedAws) -> Listing:
    return aws.listing


@pytest.fixture
def thumbnailer(aws: MockedAws) -> Thumbnailer:
    return aws.thumbnailer


@pytest.fixture
def batch() -> RecordedBatch:
    return RecordedBatch()
