"""The REST API as its clients meet it, with IAM enforced."""

from collections.abc import Iterator

import pytest

from local.client import Client
from local.deployment import Deployment
from tests.e2e.eventually import eventually


@pytest.fixture(scope="module")
def key(deployment: Deployment) -> str:
    return deployment.api_key()


@pytest.fixture(scope="module")
def url(deployment: Deployment) -> str:
    return deployment.outputs["Api"]["ApiUrl"]


@pytest.fixture(scope="module")
def client(url: str, key: str) -> Client:
    return Client(url, key)


@pytest.fixture(autouse=True)
def nothing_left(deployment: Deployment) -> Iterator[None]:
    """After each test every photo is gone, however far it came."""
    yield
    outputs, s3, dynamodb = deployment.outputs["Thumbnails"], deployment.client("s3"), deployment.client("dynamodb")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=outputs["OriginalsBucket"]):
        for entry in page.get("Contents", []):
            s3.delete_object(Bucket=outputs["OriginalsBucket"], Key=entry["Key"])
    for item in deployment.items(outputs["CatalogueTable"]):
        if item["state"] == "pending" or "etag" not in item:
            dynamodb.delete_item(TableName=outputs["CatalogueTable"], Key={"key": {"S": item["key"]}})
    eventually(lambda: not deployment.items(outputs["CatalogueTable"]))
