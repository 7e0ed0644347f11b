"""Clients of the REST API. The emulator enforces IAM."""

import pytest

from local.deployment import Deployment
from tests.e2e.api.api_requests import RetryingApiClient


@pytest.fixture(scope="module")
def key(deployment: Deployment) -> str:
    return deployment.api_key()


@pytest.fixture(scope="module")
def url(deployment: Deployment) -> str:
    return deployment.outputs["Api"]["ApiUrl"]


@pytest.fixture(scope="module")
def client(url: str, key: str) -> RetryingApiClient:
    return RetryingApiClient(url, key)


@pytest.fixture(autouse=True)
def empty_catalogue(delete_photos_afterwards: None) -> None:
    """Every test starts without photos."""
