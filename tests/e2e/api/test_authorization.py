"""Requests that the REST API denies, rejects, or throttles: without a key, from other addresses, and too many."""

import json

import pytest
from urllib3 import BaseHTTPResponse

from api.contract import ROUTES, ErrorCode
from local.api_client import ApiClient
from local.deployment import Deployment
from local.sandbox import Sandbox
from photos.limits import SIZES
from tests.e2e.api.api_requests import (
    PHOTO,
    UNKNOWN_ID,
    UNLIMITED,
    assert_error,
    client_at_other_address,
    path_of,
    register_upload,
    upload,
    usage_plan_key,
)
from tests.e2e.eventually import eventually
from tests.e2e.photos import originals

WRITES = [route for route in ROUTES if route.needs_key]


@pytest.mark.parametrize(
    ("photo", "changed", "status"),
    [
        (PHOTO + b"x", {}, 400),
        (PHOTO[:-1], {}, 400),
        (PHOTO, {"Content-Type": "text/html"}, 403),
        (PHOTO, {"key": "uploads/of-my-choice.jpg"}, 403),
        (PHOTO, {"acl": "public-read"}, 403),
        (PHOTO, {"x-amz-meta-mine": "yes"}, 403),
        (PHOTO, {"x-amz-signature": "0" * 64}, 403),
    ],
    ids=["larger", "smaller", "other type", "other key", "public ACL", "additional field", "other signature"],
)
def test_presigned_post_accepts_only_the_registered_upload(
    deployment: Deployment, client: ApiClient, photo: bytes, changed: dict[str, str], status: int
) -> None:
    form = register_upload(client)["upload"]
    assert client.upload(form, photo, **changed).status == status
    assert originals(deployment) == []


@pytest.mark.guarantee("Closed")
def test_malformed_ids_are_not_found(sandbox: Sandbox, url: str, client: ApiClient) -> None:
    photo_id = register_upload(client)["photo"]["id"]
    ids = [UNKNOWN_ID, "x", "..%2Falbums", "%2e%2e", "..%5Cphotos", "%E2%80%AE", "a" * 4000]
    ids += [f"{photo_id}{suffix}" for suffix in ("%00", "%20", ".json", "0", f"%2F..%2F{photo_id}")]
    ids += [photo_id.upper() + "G", photo_id[:-1]]
    paths = [f"{kind}/{photo_or_album}" for kind in ("photos", "albums") for photo_or_album in ids]
    paths += [f"albums/{photo_id}", f"photos/{photo_id}/original"]
    with usage_plan_key(sandbox, **UNLIMITED) as key:
        for path in paths:
            for method in ("GET", "DELETE") if path.startswith("photos/") else ("GET",):
                assert_error(ApiClient(url, key).request(method, path), ErrorCode.NOT_FOUND)
    assert client.request("GET", f"photos/{photo_id}").status == 200


@pytest.mark.guarantee("Closed")
def test_large_and_non_json_bodies_are_rejected(client: ApiClient) -> None:
    large = json.dumps({"title": "", "photos": [f"{number:032x}" for number in range(1200)]}).encode() + b" " * 2**17
    assert_error(client.request("POST", "albums", large), ErrorCode.TOO_LARGE)
    types = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml")
    for content_type in types:
        response = client.request("POST", "albums", b"{}", **{"Content-Type": content_type})
        assert_error(response, ErrorCode.UNSUPPORTED_MEDIA_TYPE)


@pytest.mark.guarantee("Closed")
def test_unauthorized_requests_are_denied(url: str, key: str) -> None:
    wrong_keys = ["", "not-the-key-at-all-but-long", key[:-1], key + "0", key.swapcase()]
    for route in WRITES:
        for wrong in wrong_keys:
            response = ApiClient(url, wrong).request(route.method, path_of(route), {})
            assert "key" in assert_error(response, ErrorCode.FORBIDDEN), route


@pytest.mark.usefixtures("sandbox")
@pytest.mark.guarantee("Closed")
def test_other_addresses_are_denied_even_with_the_key(url: str, key: str) -> None:
    client = client_at_other_address(url, key)
    for route in ROUTES:
        message = assert_error(client.request(route.method, path_of(route), {}), ErrorCode.ADDRESS_NOT_ALLOWED)
        assert "arn:" not in message and "address" in message, route
    spoofed = {"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    for header, address in spoofed.items():
        assert_error(client.request("GET", "photos", **{header: address}), ErrorCode.ADDRESS_NOT_ALLOWED)


@pytest.mark.usefixtures("sandbox")
@pytest.mark.guarantee("Closed")
def test_signed_urls_are_denied_from_other_addresses(url: str, client: ApiClient) -> None:
    elsewhere = client_at_other_address(url)
    assert elsewhere.upload(register_upload(client)["upload"], PHOTO).status == 403
    (link, _) = upload(client)["thumbnails"].values()
    assert (client.fetch(link).status, elsewhere.fetch(link).status) == (200, 403)


@pytest.mark.guarantee("Closed")
def test_signed_url_opens_only_its_thumbnail(client: ApiClient) -> None:
    link, other = (upload(client)["thumbnails"][str(SIZES[0])] for _ in range(2))
    changed = {
        "another photo": other.partition("?")[0] + "?" + link.partition("?")[2],
        "another size": link.replace(f"{SIZES[0]}.webp", f"{SIZES[1]}.webp"),
        "no signature": link.partition("?")[0],
    }
    assert client.fetch(link).status == 200
    statuses = {change: client.fetch(url).status for change, url in changed.items()}
    assert statuses == dict.fromkeys(changed, 403)


@pytest.mark.usefixtures("sandbox")
@pytest.mark.guarantee("Closed")
def test_requests_above_the_rate_limit_are_throttled_and_then_served(url: str, key: str) -> None:
    def request() -> BaseHTTPResponse:
        return ApiClient(url, key).request("POST", "photos", {})  # invalid, so that the answer is quick

    responses = [request() for _ in range(100)]
    throttled = [response for response in responses if response.status != 400]
    assert 0 < len(throttled) < 100
    for response in throttled:
        assert_error(response, ErrorCode.TOO_MANY_REQUESTS)
    eventually(lambda: request().status == 400)


@pytest.mark.guarantee("Closed")
def test_requests_above_the_quota_are_throttled(sandbox: Sandbox, url: str) -> None:
    with usage_plan_key(sandbox, quota={"limit": 2, "period": "DAY"}) as key:
        responses = [ApiClient(url, key).request("DELETE", f"photos/{UNKNOWN_ID}") for _ in range(3)]
        assert [response.status for response in responses] == [404, 404, 429]
        assert_error(responses[-1], ErrorCode.TOO_MANY_REQUESTS)
