"""AWS mocked in process: the buckets and the table as the Thumbnails stack makes them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import boto3
import pytest
from aws_cdk.assertions import Template
from moto import mock_aws

from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws


@contextmanager
def mocked_aws(template: Template) -> Iterator[MockedAws]:
    """Empty buckets and an empty catalogue, the table as the template of the Thumbnails stack defines it."""
    (table,) = template.find_resources("AWS::DynamoDB::Table").values()
    properties = table["Properties"]
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=ORIGINALS)
        s3.create_bucket(Bucket=THUMBNAILS)
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName=CATALOGUE,
            **{name: properties[name] for name in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes")},
            BillingMode=properties["BillingMode"],
        )
        yield MockedAws(s3, dynamodb)


@pytest.fixture
def aws(template: Callable[[str], Template]) -> Iterator[MockedAws]:
    """An AWS in which nothing has happened yet."""
    with mocked_aws(template("Thumbnails")) as aws:
        yield aws
