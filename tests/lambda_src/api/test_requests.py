"""What is parse_request of an event, and what is refused."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.contract import MAX_BODY, ErrorCode
from api.requests import RequestError, parse_request
from tests.lambda_src.api.events import event

ID = "0123456789abcdef" * 2
PHOTO = {"filename": "ü 写真.jpg", "content_type": "image/jpeg", "size": 1}


def code_of(given_event: dict[str, Any]) -> ErrorCode:
    with pytest.raises(RequestError) as caught:
        parse_request(given_event)
    assert caught.value.message
    assert len(caught.value.message) < 310
    return caught.value.code


def test_route_id_query_and_body() -> None:
    assert parse_request(event("GET", "/health")).route.name == "health"
    assert (
        parse_request(event("GET", f"/photos/{ID}")).route.name,
        parse_request(event("DELETE", f"/photos/{ID}")).id,
    ) == (
        "get_photo",
        ID,
    )
    listed = parse_request(event("GET", "/photos?limit=7&cursor=abc"))
    assert (listed.route.name, listed.query) == ("list_photos", {"limit": 7, "cursor": "abc"})
    assert parse_request(event("POST", "/photos", PHOTO)).body == PHOTO


def test_defaults() -> None:
    assert parse_request(event("GET", "/photos")).query == {"limit": 50}
    assert parse_request(event("POST", "/albums", {})).body == {"title": "Album"}


@pytest.mark.parametrize(
    ("method", "resource"), [("PUT", "/photos"), ("GET", "/"), ("get", "/photos"), ("OPTIONS", "/photos"), (None, None)]
)
def test_unknown_route_or_method(method: str | None, resource: str | None) -> None:
    assert code_of(event("GET", "/health") | {"httpMethod": method, "resource": resource}) == "not_found"


@pytest.mark.parametrize(
    "text", ["", "x", ID[:-1], f"{ID}0", ID.upper(), f"{ID}\n", "../" + ID[3:], "é" * 32, "%2e%2e"]
)
@pytest.mark.parametrize("path", ["/photos/x", "/albums/x"])
def test_an_id_that_is_none(path: str, text: str) -> None:
    assert code_of(event("GET", path) | {"pathParameters": {"id": text}}) == "not_found"
    assert code_of(event("GET", path) | {"pathParameters": None}) == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=1.0",
        "limit=1e1",
        "limit=",
        "limit=١",
        "limit=99999999999999999999",
        "limit=1&limit=1",
        "limit=1&limit=2",
        "Limit=1",
        "cursor=",
        f"cursor={'c' * 2001}",
        "other=1",
        f"{'o' * 5000}=1",
    ],
)
def test_a_query_that_is_none(query: str) -> None:
    assert code_of(event("GET", f"/photos?{query}")) == "invalid_request"


def test_routes_without_parameters_take_none() -> None:
    assert code_of(event("GET", "/health?a=1")) == "invalid_request"
    assert code_of(event("POST", "/albums?title=a", {})) == "invalid_request"


@pytest.mark.parametrize(
    "change",
    [
        {"filename": ""},
        {"filename": "f" * 201},
        {"filename": None},
        {"filename": "\ud800"},
        {"content_type": "image/svg+xml"},
        {"content_type": "IMAGE/JPEG"},
        {"size": 0},
        {"size": 50 * 2**20 + 1},
        {"size": "1"},
        {"size": True},
        {"size": 1.5},
        {"size": 1.0},
        {"key": "uploads/mine.jpg"},
    ],
)
def test_a_photo_that_cannot_be_announced(change: dict[str, Any]) -> None:
    assert code_of(event("POST", "/photos", PHOTO | change)) == "invalid_request"
    for name in PHOTO:
        assert code_of(event("POST", "/photos", {key: PHOTO[key] for key in PHOTO if key != name})) == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [
        {"title": "t" * 201},
        {"title": 1},
        {"photos": []},
        {"photos": None},
        {"photos": ID},
        {"photos": [ID, ID]},
        {"photos": [f"{ID}\n"]},
        {"photos": [[ID]]},
        {"photos": [f"{number:032x}" for number in range(1201)]},
        {"photos": [ID], "photos_per_page": 1},
    ],
)
def test_an_album_that_cannot_be_ordered(body: dict[str, Any]) -> None:
    assert code_of(event("POST", "/albums", body)) == "invalid_request"


def test_the_largest_album() -> None:
    body = {"title": "😀" * 200, "photos": [f"{number:032x}" for number in range(1200)]}
    assert parse_request(event("POST", "/albums") | {"body": json.dumps(body, indent=8)}).body == body


@pytest.mark.parametrize(
    "body",
    [
        *[None, "", " ", "{", "[]", "null", "1", '"text"', "{}{}", "\ufeff{}", "[" * 9000],
        *['{"title": NaN}', '{"title": 1}', '{"title": "\\ud800"}', '{"title": ' + "1" * 9000 + "}"],
    ],
)
def test_a_body_that_is_no_object_in_json(body: str | None) -> None:
    assert code_of(event("POST", "/albums") | {"body": body}) == "invalid_request"


def test_a_body_in_base64() -> None:
    def encoded(raw: bytes) -> dict[str, Any]:
        return event("POST", "/photos") | {"body": base64.b64encode(raw).decode(), "isBase64Encoded": True}

    assert parse_request(encoded(json.dumps(PHOTO, ensure_ascii=False).encode())).body == PHOTO
    assert code_of(encoded(json.dumps(PHOTO, ensure_ascii=False).encode("latin-1", "replace"))) == "invalid_request"
    assert code_of(encoded(json.dumps(PHOTO).encode("utf-16"))) == "invalid_request"
    text = encoded(json.dumps(PHOTO).encode())["body"]
    assert code_of(encoded(b"") | {"body": f"{text[:4]}!{text[4:]}"}) == "invalid_request"
    assert code_of(encoded(b" " * (MAX_BODY + 1))) == "too_large"


def test_a_body_that_is_too_large() -> None:
    assert code_of(event("POST", "/albums") | {"body": " " * (MAX_BODY - 2) + "{}" + " "}) == "too_large"
    assert code_of(event("POST", "/albums") | {"body": "é" * (MAX_BODY // 2 + 1)}) == "too_large"
    assert parse_request(event("POST", "/albums") | {"body": " " * (MAX_BODY - 2) + "{}"}).body == {"title": "Album"}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ";"]
)
def test_a_body_of_another_type(content_type: str) -> None:
    assert code_of(event("POST", "/albums", {}, content_type=content_type)) == "unsupported_media_type"


@pytest.mark.parametrize(
    "headers", [None, {}, {"content-type": "application/json"}, {"CONTENT-TYPE": "Application/JSON ;charset=utf-8"}]
)
def test_json_by_any_spelling_and_unsaid(headers: dict[str, str] | None) -> None:
    assert parse_request(event("POST", "/albums", {}) | {"headers": headers}).body == {"title": "Album"}


def test_what_routes_do_not_take_does_not_matter() -> None:
    request = event("GET", "/health", content_type="text/plain") | {"body": "x" * (MAX_BODY + 1)}
    assert parse_request(request).body == {}


def nested(depth: int) -> str:
    return '{"title":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("depth", [10, 1_000, 10_000])
def test_depth_is_no_fault(depth: int) -> None:
    assert code_of(event("POST", "/albums") | {"body": nested(depth)}) == "invalid_request"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["title", "photos", *PHOTO]), inner),
)


@given(JSON, st.sampled_from(["/photos", "/albums"]))
def test_any_json_is_read_or_refused(body: Any, path: str) -> None:
    try:
        parse_request(event("POST", path, body))
    except RequestError as error:
        assert error.code == "invalid_request"
