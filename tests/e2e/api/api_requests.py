"""What the tests of the REST API ask it, and how a refusal looks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3 import BaseHTTPResponse

from api.contract import ErrorCode, Route
from local.api_client import ApiClient
from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually

PHOTO = (ROOT / "samples" / "rocket.jpg").read_bytes()
OTHER_ADDRESS = "127.0.0.2"
UNKNOWN_ID = "0" * 32
UNLIMITED = {"throttle": {"rateLimit": 10_000, "burstLimit": 10_000}}


class RetryingApiClient(ApiClient):
    """One that waits when it has asked more than its key may: many tests share a key."""

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> BaseHTTPResponse:
        """The answer, whatever its status but "too many requests"."""
        while (answer := super().request(method, path, body, **headers)).status == ErrorCode.TOO_MANY_REQUESTS.status:
            time.sleep(0.5)
        return answer


def announce(client: ApiClient, filename: str = "röcket 1.jpg") -> dict[str, Any]:
    """What the API answers to the announcement of a photo, once it finds it."""
    body = {"filename": filename, "content_type": "image/jpeg", "size": len(PHOTO)}
    answer = client.request("POST", "photos", body)
    assert answer.status == 201, answer.data
    announced: dict[str, Any] = answer.json()
    # Photos are found and listed by indexes, which follow the table.
    eventually(lambda: client.request("GET", f"photos/{announced['photo']['id']}").status == 200)
    return announced


def upload(client: ApiClient) -> dict[str, Any]:
    """A photo that is ready."""
    announced = announce(client)
    assert client.upload(announced["upload"], PHOTO).status == 204

    def ready() -> Any:
        photo = client.request("GET", f"photos/{announced['photo']['id']}").json()
        return photo if photo["state"] == "ready" else None

    photo: dict[str, Any] = eventually(ready)
    return photo


def assert_error(answer: BaseHTTPResponse, code: ErrorCode) -> str:
    """It has the one shape of errors, and a page of any origin may read it. Returns its message."""
    assert answer.status == code.status, answer.data
    body = answer.json()
    assert body["error"].keys() == {"code", "message"} and len(body) == 1
    assert body["error"]["code"] == code
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    message: str = body["error"]["message"]
    return message


def path_of(route: Route) -> str:
    return route.path.lstrip("/").replace("{id}", UNKNOWN_ID)


@contextmanager
def usage_plan_key(sandbox: Sandbox, **plan: Any) -> Iterator[str]:
    """Another key, with other limits than the one that the stack makes."""
    gateway, api = sandbox.client("apigateway"), sandbox.outputs["Api"]["ApiUrl"].split("/")[-3]
    plan_id = gateway.create_usage_plan(name="test", apiStages=[{"apiId": api, "stage": "v1"}], **plan)["id"]
    key = gateway.create_api_key(name="test", enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key["id"], keyType="API_KEY")
    try:
        yield key["value"]
    finally:
        gateway.delete_api_key(apiKey=key["id"])
        gateway.delete_usage_plan(usagePlanId=plan_id)
