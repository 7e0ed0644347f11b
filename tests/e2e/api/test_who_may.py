"""Whom the REST API refuses, and what: without a key, from elsewhere, too much, of another's photo."""

import json
from collections.abc import Callable

import pytest
from urllib3 import BaseHTTPResponse

from api.contract import ROUTES, ErrorCode
from local.api_client import ApiClient
from local.deployment import Deployment
from local.sandbox import Sandbox
from tests.e2e.api.asking import (
    NO_ID,
    PHOTO,
    SOMEONE_ELSE,
    UNLIMITED,
    announce,
    assert_refused,
    of_its_own_plan,
    path_of,
    upload,
)
from tests.e2e.eventually import eventually

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
    ids=["larger", "smaller", "another type", "another key", "public", "more than asked for", "another signature"],
)
def test_a_form_takes_nothing_but_what_was_announced(
    deployment: Deployment, client: ApiClient, photo: bytes, changed: dict[str, str], status: int
) -> None:
    announced = announce(client)
    assert client.upload(announced["upload"], photo, **changed).status == status
    bucket = deployment.outputs["Thumbnails"]["OriginalsBucket"]
    assert "Contents" not in deployment.client("s3").list_objects_v2(Bucket=bucket)


def test_what_is_no_id_leads_nowhere(sandbox: Sandbox, url: str, client: ApiClient, proof: Callable[..., None]) -> None:
    photo_id = announce(client)["photo"]["id"]
    ids = [NO_ID, "x", "..%2Falbums", "%2e%2e", "..%5Cphotos", f"{photo_id}%00", f"{photo_id}%20", f"{photo_id}.json"]
    ids += [
        photo_id.upper() + "G",
        photo_id[:-1],
        photo_id + "0",
        f"{photo_id}%2F..%2F{photo_id}",
        "%E2%80%AE",
        "a" * 4000,
    ]
    paths = [f"{kind}/{photo_or_album}" for kind in ("photos", "albums") for photo_or_album in ids]
    paths += [f"albums/{photo_id}", f"photos/{photo_id}/original"]
    with of_its_own_plan(sandbox, **UNLIMITED) as key:
        for path in paths:
            for method in ("GET", "DELETE") if path.startswith("photos/") else ("GET",):
                assert_refused(ApiClient(url, key).request(method, path), ErrorCode.NOT_FOUND)
    assert client.request("GET", f"photos/{photo_id}").status == 200
    proof(
        "Nothing is open",
        tried="ids of nothing, of another kind or almost of a photo, and tricks in paths, of photos and albums",
        times=len(paths),
        found="each is not found, in the one shape of errors",
    )


def test_bodies_that_are_too_large_or_of_another_type_are_refused(
    client: ApiClient, proof: Callable[..., None]
) -> None:
    large = json.dumps({"title": "", "photos": [f"{number:032x}" for number in range(1200)]}).encode() + b" " * 2**17
    assert_refused(client.request("POST", "albums", large), ErrorCode.TOO_LARGE)
    types = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml")
    for content_type in types:
        other = client.request("POST", "albums", b"{}", **{"Content-Type": content_type})
        assert_refused(other, ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    proof(
        "Nothing is open",
        tried="bodies of over 128 KiB, and of types that are not JSON",
        times=1 + len(types),
        found="each is refused, in the one shape of errors",
    )


def test_writing_needs_the_key(url: str, key: str, proof: Callable[..., None]) -> None:
    wrong = ["", "not-the-key-at-all-but-long", key[:-1], key + "0", key.swapcase()]
    for route in WRITES:
        for other in wrong:
            message = assert_refused(
                ApiClient(url, other).request(route.method, path_of(route), {}), ErrorCode.FORBIDDEN
            )
            assert "key" in message, route
    proof(
        "Nothing is open",
        tried=f"each of {len(WRITES)} routes that write, without a key and with wrong ones",
        times=len(WRITES) * len(wrong),
        found="each is refused, in the one shape of errors",
    )


@pytest.mark.usefixtures("sandbox")
def test_someone_elses_address_is_let_in_nowhere_not_even_with_the_key(
    url: str, key: str, proof: Callable[..., None]
) -> None:
    elsewhere = ApiClient(url, key, address=SOMEONE_ELSE)
    for route in ROUTES:
        message = assert_refused(elsewhere.request(route.method, path_of(route), {}), ErrorCode.ADDRESS_NOT_ALLOWED)
        assert "arn:" not in message and "address" in message, route
    claimed = {"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    for header, address in claimed.items():
        assert_refused(elsewhere.request("GET", "photos", **{header: address}), ErrorCode.ADDRESS_NOT_ALLOWED)
    proof(
        "Nothing is open",
        tried=f"each of {len(ROUTES)} routes with the key from another address, and headers that claim the right one",
        times=len(ROUTES) + len(claimed),
        found="each is refused, in the one shape of errors",
    )


@pytest.mark.usefixtures("sandbox")
def test_links_do_not_hold_from_someone_elses_address(url: str, client: ApiClient, proof: Callable[..., None]) -> None:
    elsewhere = ApiClient(url, address=SOMEONE_ELSE)
    assert elsewhere.upload(announce(client)["upload"], PHOTO).status == 403
    (link, _other) = upload(client)["thumbnails"].values()
    assert (client.fetch(link).status, elsewhere.fetch(link).status) == (200, 403)
    proof(
        "Nothing is open",
        tried="a form and a link that the API signed, used from another address",
        times=2,
        found="both are refused; the link leads to its thumbnail from the right one",
    )


def test_a_link_leads_to_its_thumbnail_only(client: ApiClient, proof: Callable[..., None]) -> None:
    link, other = (upload(client)["thumbnails"]["256"] for _ in range(2))
    changed = {
        "of another photo": other.partition("?")[0] + "?" + link.partition("?")[2],
        "of another size": link.replace("256.webp", "1024.webp"),
        "without its signature": link.partition("?")[0],
    }
    assert client.fetch(link).status == 200
    assert {what: client.fetch(other_link).status for what, other_link in changed.items()} == dict.fromkeys(
        changed, 403
    )
    proof(
        "Nothing is open",
        tried=f"a link that the API signed, changed: {', '.join(changed)}",
        times=len(changed),
        found="each is refused; unchanged it leads to its thumbnail",
    )


@pytest.mark.usefixtures("sandbox")
def test_more_requests_at_once_than_the_plan_allows_are_refused_and_then_taken_again(
    url: str, key: str, proof: Callable[..., None]
) -> None:
    def ask() -> BaseHTTPResponse:
        return ApiClient(url, key).request("POST", "photos", {})  # for a short answer

    answers = [ask() for _ in range(100)]
    refused = [answer for answer in answers if answer.status != 400]
    assert 0 < len(refused) < 100
    for answer in refused:
        assert_refused(answer, ErrorCode.TOO_MANY_REQUESTS)
    eventually(lambda: ask().status == 400)
    proof(
        "Nothing is open",
        tried="requests one after the other, as fast as one client can, with one key",
        times=len(answers),
        found="at first served, then refused in the one shape of errors, soon served again",
    )


def test_more_requests_a_day_than_the_plan_allows_are_refused(
    sandbox: Sandbox, url: str, proof: Callable[..., None]
) -> None:
    with of_its_own_plan(sandbox, quota={"limit": 2, "period": "DAY"}) as key:
        answers = [ApiClient(url, key).request("DELETE", f"photos/{NO_ID}") for _ in range(3)]
        assert [answer.status for answer in answers] == [404, 404, 429]
        assert_refused(answers[-1], ErrorCode.TOO_MANY_REQUESTS)
    proof(
        "Nothing is open",
        tried="requests with a key whose plan allows two a day",
        times=len(answers),
        found="the third is refused, in the one shape of errors",
    )
