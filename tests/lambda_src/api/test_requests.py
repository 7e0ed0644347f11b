"""Valid requests are parsed, and everything else is rejected with an error of the contract."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.contract import MAX_BODY, ErrorCode
from api.requests import RequestError, parse_request
from photos.limits import CONTENT_TYPES, MAX_BYTES
from tests.lambda_src.api.events import event

ID = "0123456789abcdef" * 2
PHOTO = {"filename": "ü 写真.jpg", "content_type": "image/jpeg", "size": 1}


def error_of(request: dict[str, Any]) -> ErrorCode:
    with pytest.raises(RequestError) as caught:
        parse_request(request)
    assert caught.value.message
    assert len(caught.value.message) < 510
    return caught.value.code


def with_body(path: str, body: str | None) -> dict[str, Any]:
    return event("POST", path) | {"body": body}


def test_route_id_query_and_body_are_parsed() -> None:
    found = parse_request(event("DELETE", f"/photos/{ID}"))
    assert (found.route.name, found.id) == ("delete_photo", ID)
    listed = parse_request(event("GET", "/photos?limit=7&cursor=abc"))
    assert (listed.route.name, listed.query) == ("list_photos", {"limit": 7, "cursor": "abc"})
    assert parse_request(event("POST", "/photos", PHOTO)).body == PHOTO
    assert parse_request(event("GET", "/photos")).query == {"limit": 50}
    assert parse_request(event("POST", "/albums", {})).body == {"title": "Album"}


@pytest.mark.parametrize(
    ("method", "resource"), [("PUT", "/photos"), ("GET", "/"), ("get", "/photos"), ("OPTIONS", "/photos"), (None, None)]
)
def test_unknown_route_is_not_found(method: str | None, resource: str | None) -> None:
    assert error_of(event("GET", "/health") | {"httpMethod": method, "resource": resource}) == "not_found"


@pytest.mark.parametrize(
    "text", ["", "x", ID[:-1], f"{ID}0", ID.upper(), f"{ID}\n", "../" + ID[3:], "é" * 32, "%2e%2e"]
)
@pytest.mark.parametrize("path", ["/photos/x", "/albums/x"])
def test_malformed_id_is_not_found(path: str, text: str) -> None:
    assert error_of(event("GET", path) | {"pathParameters": {"id": text}}) == "not_found"
    assert error_of(event("GET", path) | {"pathParameters": None}) == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        *["limit=0", "limit=101", "limit=-1", "limit=1.0", "limit=1e1", "limit=", "limit=١", f"limit={'9' * 20}"],
        *["limit=1&limit=1", "limit=1&limit=2", "Limit=1", "cursor=", f"cursor={'c' * 2001}", "other=1"],
    ],
)
def test_invalid_query_is_rejected(query: str) -> None:
    assert error_of(event("GET", f"/photos?{query}")) == "invalid_request"
    assert error_of(event("GET", f"/health?{query}")) == "invalid_request"


INVALID_PHOTOS = [
    *[PHOTO | {"filename": value} for value in ("", "f" * 201, None, "\ud800")],
    *[PHOTO | {"content_type": value} for value in ("image/svg+xml", "IMAGE/JPEG")],
    *[PHOTO | {"size": value} for value in (0, MAX_BYTES + 1, "1", True, 1.5, 1.0)],
    PHOTO | {"key": "uploads/mine.jpg"},
    *[{name: value for name, value in PHOTO.items() if name != missing} for missing in PHOTO],
]
INVALID_ALBUMS = [
    *[{"title": value} for value in ("t" * 201, 1)],
    *[{"photos": value} for value in ([], None, ID, [ID, ID], [f"{ID}\n"], [[ID]])],
    {"photos": [f"{number:032x}" for number in range(1201)]},
    {"photos": [ID], "photos_per_page": 1},
]


@pytest.mark.parametrize(
    ("path", "body"), [*(("/photos", it) for it in INVALID_PHOTOS), *(("/albums", it) for it in INVALID_ALBUMS)]
)
def test_invalid_body_is_rejected(path: str, body: dict[str, Any]) -> None:
    assert error_of(event("POST", path, body)) == "invalid_request"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (event("POST", "/photos", PHOTO | {"size": MAX_BYTES + 1}), ["body.size", str(MAX_BYTES), str(MAX_BYTES + 1)]),
        (event("POST", "/photos", PHOTO | {"size": "1"}), ["body.size", "integer", '"1"']),
        (event("POST", "/photos", PHOTO | {"content_type": "a/b"}), ["body.content_type", *CONTENT_TYPES, '"a/b"']),
        (event("POST", "/photos", {"filename": "a", "size": 1}), ["body.content_type", "required"]),
        (event("POST", "/photos", PHOTO | {"kye": 1}), ["filename, content_type, size", '"kye"']),
        (event("POST", "/photos", PHOTO | {"filename": "f" * 201}), ["body.filename", "200", '"fff']),
        (event("POST", "/photos", []), ["body", "object", "[]"]),
        (event("POST", "/albums", {"photos": [ID, "me"]}), ["body.photos[1]", "0-9a-f", '"me"']),
        (event("GET", "/photos?limit=0"), ["query.limit", "1", "0"]),
        (event("GET", "/photos?limit=x"), ["query.limit", "integer", '"x"']),
        (event("GET", "/photos?limti=1"), ["query", "limit, cursor", '"limti"']),
        (event("GET", "/health?a=1"), ["query", "nothing", '"a"']),
        (event("GET", "/photos?limit=1&limit=2"), ["query.limit", "once", '["1", "2"]']),
        (event("GET", "/photos/x") | {"pathParameters": {"id": "x"}}, ["id", "32", '"x"']),
        (event("POST", "/albums", {}, content_type="text/plain"), ["application/json", '"text/plain"']),
        (with_body("/albums", '{"title": "a"'), ["JSON", "line 1 column 14"]),
        (with_body("/albums", " " * (MAX_BODY + 7)), [str(MAX_BODY), str(MAX_BODY + 7)]),
    ],
)
def test_error_names_the_field_its_value_and_what_is_allowed(request_: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(request_)
    assert [word for word in words if word not in caught.value.message] == []


def test_largest_album_is_accepted() -> None:
    body = {"title": "😀" * 200, "photos": [f"{number:032x}" for number in range(1200)]}
    assert parse_request(with_body("/albums", json.dumps(body, indent=8))).body == body


@pytest.mark.parametrize(
    "body",
    [
        *[None, "", " ", "{", "[]", "null", "1", '"text"', "{}{}", "\ufeff{}", "[" * 9000],
        *['{"title": NaN}', '{"title": 1}', '{"title": "\\ud800"}', '{"title": ' + "1" * 9000 + "}"],
        *['{"title":' * depth + "1" + "}" * depth for depth in (10, 1_000, 10_000)],
    ],
)
def test_body_that_is_not_a_json_object_is_rejected(body: str | None) -> None:
    assert error_of(with_body("/albums", body)) == "invalid_request"


def test_base64_body_is_decoded() -> None:
    def encoded(raw: bytes) -> dict[str, Any]:
        return with_body("/photos", base64.b64encode(raw).decode()) | {"isBase64Encoded": True}

    text = json.dumps(PHOTO, ensure_ascii=False)
    assert parse_request(encoded(text.encode())).body == PHOTO
    assert error_of(encoded(text.encode("latin-1", "replace"))) == "invalid_request"
    assert error_of(encoded(text.encode("utf-16"))) == "invalid_request"
    assert error_of(encoded(b"") | {"body": "eyJ0!aXRsZSI6IjEifQ=="}) == "invalid_request"
    assert error_of(encoded(b" " * (MAX_BODY + 1))) == "too_large"


def test_body_over_the_limit_is_too_large() -> None:
    assert error_of(with_body("/albums", " " * (MAX_BODY - 1) + "{}")) == "too_large"
    assert error_of(with_body("/albums", "é" * (MAX_BODY // 2 + 1))) == "too_large"
    assert parse_request(with_body("/albums", " " * (MAX_BODY - 2) + "{}")).body == {"title": "Album"}


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", ";"])
def test_other_content_types_are_unsupported(content_type: str) -> None:
    assert error_of(event("POST", "/albums", {}, content_type=content_type)) == "unsupported_media_type"


@pytest.mark.parametrize(
    "headers", [None, {}, {"content-type": "application/json"}, {"CONTENT-TYPE": "Application/JSON ;charset=utf-8"}]
)
def test_json_content_type_is_case_insensitive_and_optional(headers: dict[str, str] | None) -> None:
    assert parse_request(event("POST", "/albums", {}) | {"headers": headers}).body == {"title": "Album"}


def test_body_is_ignored_on_routes_without_body() -> None:
    request = event("GET", "/health", content_type="text/plain") | {"body": "x" * (MAX_BODY + 1)}
    assert parse_request(request).body == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["title", "photos", *PHOTO]), inner),
)


@given(JSON, st.sampled_from(["/photos", "/albums"]))
def test_any_json_is_parsed_or_rejected(body: Any, path: str) -> None:
    try:
        parse_request(event("POST", path, body))
    except RequestError as error:
        assert error.code == "invalid_request"
