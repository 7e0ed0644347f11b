"""The REST API as its clients meet it, with IAM enforced."""

import pytest

from local.deployment import Deployment
from tests.e2e.api.asking import PatientApiClient


@pytest.fixture(scope="module")
def key(deployment: Deployment) -> str:
    return deployment.api_key()


@pytest.fixture(scope="module")
def url(deployment: Deployment) -> str:
    return deployment.outputs["Api"]["ApiUrl"]


@pytest.fixture(scope="module")
def client(url: str, key: str) -> PatientApiClient:
    return PatientApiClient(url, key)


@pytest.fixture(autouse=True)
def each_begins_without_photos(no_photos_left: None) -> None:
    """And the last one leaves none."""
