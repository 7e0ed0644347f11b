"""Requests to the REST API that several tests send, and the form of its errors."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from urllib3 import BaseHTTPResponse

from api.contract import ErrorCode, Route
from local.api_client import ApiClient
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.photos import ROCKET

PHOTO = ROCKET.read_bytes()
OTHER_ADDRESS = "127.0.0.2"
UNKNOWN_ID = "0" * 32
_IN_PROGRESS = ("pending", "running")
UNLIMITED = {"throttle": {"rateLimit": 10_000, "burstLimit": 10_000}}


def client_at_other_address(url: str, key: str = "") -> ApiClient:
    """Return a client at OTHER_ADDRESS. Where the machine does not have it (macOS), skip the test."""
    with socket.socket() as probe:
        try:
            probe.bind((OTHER_ADDRESS, 0))
        except OSError as error:
            pytest.skip(f"{OTHER_ADDRESS} is not an address of this machine ({error})")
    return ApiClient(url, key, address=OTHER_ADDRESS)


class RetryingApiClient(ApiClient):
    """A client that repeats throttled requests, because many tests share one API key."""

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> BaseHTTPResponse:
        """Return the first response that is not 429."""
        while (response := super().request(method, path, body, **headers)).status == ErrorCode.TOO_MANY_REQUESTS.status:
            time.sleep(0.5)
        return response


def register_upload(client: ApiClient, filename: str = "röcket 1.jpg") -> dict[str, Any]:
    """Request a presigned POST, wait until the photo is listed, and return the response body."""
    registered = _request_form(client, filename, len(PHOTO))
    # The API finds photos by global secondary indexes, which are eventually consistent.
    eventually(lambda: client.request("GET", f"photos/{registered['photo']['id']}").status == 200)
    return registered


def upload(client: ApiClient, photo: bytes = PHOTO) -> dict[str, Any]:
    """Upload a photo by form, wait until it is ready or rejected, and return it."""
    registered = _request_form(client, "photo.jpg", len(photo))
    assert client.upload(registered["upload"], photo).status == 204
    return finished(client, f"photos/{registered['photo']['id']}")


def _request_form(client: ApiClient, filename: str, size: int) -> dict[str, Any]:
    response = client.request("POST", "photos", {"filename": filename, "content_type": "image/jpeg", "size": size})
    assert response.status == 201, response.data
    registered: dict[str, Any] = response.json()
    return registered


def finished(client: ApiClient, path: str) -> dict[str, Any]:
    """Wait until a photo or album is no longer in progress, and return it."""

    def result() -> dict[str, Any] | None:
        response = client.request("GET", path)
        return response.json() if response.status == 200 and response.json()["state"] not in _IN_PROGRESS else None

    final: dict[str, Any] = eventually(result)
    return final


def assert_error(response: BaseHTTPResponse, code: ErrorCode) -> str:
    """Assert that a response is an error in the documented form that any origin can read. Return its message."""
    assert response.status == code.status, response.data
    body = response.json()
    assert body["error"].keys() == {"code", "message"} and len(body) == 1
    assert body["error"]["code"] == code
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    message: str = body["error"]["message"]
    return message


def path_of(route: Route) -> str:
    """Return the path of a route, with an unknown id."""
    return route.path.lstrip("/").replace("{id}", UNKNOWN_ID)


@contextmanager
def usage_plan_key(sandbox: Sandbox, **plan: Any) -> Iterator[str]:
    """Create an API key with a separate usage plan, whose limits differ from those of the stack."""
    gateway, api = sandbox.client("apigateway"), sandbox.outputs["Api"]["ApiUrl"].split("/")[-3]
    plan_id = gateway.create_usage_plan(name="test", apiStages=[{"apiId": api, "stage": "v1"}], **plan)["id"]
    key = gateway.create_api_key(name="test", enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key["id"], keyType="API_KEY")
    try:
        yield key["value"]
    finally:
        gateway.delete_api_key(apiKey=key["id"])
        gateway.delete_usage_plan(usagePlanId=plan_id)
