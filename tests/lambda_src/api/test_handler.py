"""The API function: each route responds as the contract defines, to any request."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import fastjsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.contract import MAX_BODY, RESPONSES, ROUTES, ErrorCode
from photos.albums import jobs_key, page_key, pdf_key
from photos.cursor import encode_cursor
from photos.keys import photo_id, thumbnail_key
from photos.limits import SIZES
from photos.listing import Position
from tests.lambda_src.api.events import event
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, RecordedBatch, load_function

PHOTO = {"filename": "a b.jpg", "content_type": "image/jpeg", "size": 3}
UNKNOWN = "f" * 32
JOBS = {"PAGE_JOB_QUEUE": "q", "PAGE_JOB_DEFINITION": "d:1", "BIND_JOB_QUEUE": "q", "BIND_JOB_DEFINITION": "d:1"}

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def api(aws: MockedAws, batch: RecordedBatch, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler module, with a fake AWS Batch."""
    client = boto3.client

    def client_or_batch(service: Any, **more: Any) -> Any:
        return batch if service == "batch" else client(service, **more)

    monkeypatch.setattr(boto3, "client", client_or_batch)
    return load_function(monkeypatch, "api", **JOBS)


@pytest.fixture
def call(api: ModuleType) -> Call:
    """Call the API, and return status and body of the response, which the contract allows."""

    def call(method: str, path: str, body: object = None) -> tuple[int, Any]:
        request = event(method, path, body)
        response = api.handler(request, None)
        assert_allowed(request, response)
        return response["statusCode"], json.loads(response["body"]) if response["body"] else None

    return call


VALIDATORS: dict[str, Any] = {
    name: fastjsonschema.compile({"$ref": f"#/components/schemas/{name}", "components": {"schemas": dict(RESPONSES)}})
    for name in RESPONSES
}


def assert_allowed(request: Mapping[str, Any], response: Mapping[str, Any]) -> None:
    """Assert that the contract allows this response to the request."""
    assert response["headers"]["Content-Type"] == "application/json"
    assert response["headers"]["Access-Control-Allow-Origin"] == "*"
    assert response["headers"]["Cache-Control"] == "no-store"
    route = next((r for r in ROUTES if (r.method, r.path) == (request["httpMethod"], request["resource"])), None)
    if route and response["statusCode"] == route.status:
        if route.response is None:
            assert response["body"] == ""
        else:
            VALIDATORS[route.response](json.loads(response["body"]))
        return
    body = json.loads(response["body"])
    VALIDATORS["Error"](body)
    code = ErrorCode(body["error"]["code"])
    assert response["statusCode"] == code.status
    assert (
        code in (*route.errors, ErrorCode.INVALID_REQUEST, ErrorCode.INTERNAL_ERROR) if route else code == "not_found"
    )


def test_health_calls_no_other_service(call: Call, aws: MockedAws) -> None:
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    assert call("GET", "/health") == (200, {"status": "ok"})


def test_photo_is_registered_processed_and_deleted(call: Call, aws: MockedAws) -> None:
    status, registered = call("POST", "/photos", PHOTO)
    assert (status, registered["photo"]["state"], registered["photo"]["filename"]) == (201, "pending", "a b.jpg")
    assert registered["photo"]["thumbnails"] == {}
    key = registered["upload"]["fields"]["key"]
    assert registered["photo"]["id"] == photo_id(key)

    upload = aws.process(key, sequencer="02")
    path = f"/photos/{photo_id(key)}"
    status, photo = call("GET", path)
    assert (status, photo["state"], photo["created_at"]) == (200, "ready", registered["photo"]["created_at"])
    assert {size: urlsplit(url).path for size, url in photo["thumbnails"].items()} == {
        str(size): f"/{thumbnail_key(key, upload, size)}" for size in SIZES
    }

    aws.catalogue.set_ready(key, upload, uploaded_at=datetime.now(UTC), thumbnails={64: "path"})
    assert call("GET", path)[1]["thumbnails"].keys() == {"64"}, "the sizes that the item has"

    assert call("DELETE", path) == (204, None)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=ORIGINALS)

    assert call("DELETE", f"/photos/{call('POST', '/photos', PHOTO)[1]['photo']['id']}") == (204, None), "pending"


@pytest.mark.parametrize(
    ("key", "filename"),
    [
        ("a.jpg", "a.jpg"),
        ("2026/my trip/ü +&%.JPG", "ü +&%.JPG"),
        ("folder/", "folder"),
        ("\x01", "\x01"),
        ("🙂" * 256, "🙂" * 256),
    ],
)
def test_photo_under_any_key_can_be_listed_and_deleted(call: Call, aws: MockedAws, key: str, filename: str) -> None:
    aws.process(key, b"no photo")
    _, photo = call("GET", f"/photos/{photo_id(key)}")
    assert (photo["filename"], photo["state"], photo["code"]) == (filename, "rejected", "not_a_photo")
    assert photo["reason"].endswith(".")
    assert call("GET", "/photos") == (200, {"photos": [photo], "next_cursor": None})
    assert call("DELETE", f"/photos/{photo_id(key)}") == (204, None)


def test_photos_are_listed_page_by_page(call: Call) -> None:
    ids = {call("POST", "/photos", PHOTO)[1]["photo"]["id"] for _ in range(5)}
    seen, cursor = [], ""
    for _ in range(3):
        _, page = call("GET", f"/photos?limit=2{cursor}")
        seen += [photo["id"] for photo in page["photos"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert (len(seen), set(seen)) == (5, ids)
    status, body = call("GET", "/photos?cursor=made-up")
    assert (status, body["error"]["code"]) == (400, "invalid_request")
    for created_at, photos in (("9999-99-99T99:99:99.999Z", 5), ("0000-00-00T00:00:00.000Z", 0)):
        status, page = call("GET", f"/photos?cursor={encode_cursor(Position(created_at, 'any key'))}")
        assert (status, len(page["photos"]), page["next_cursor"]) == (200, photos, None), "a forged position"


def test_album_is_created_and_its_progress_reported(call: Call, aws: MockedAws, batch: RecordedBatch) -> None:
    for number in range(13):
        aws.process(f"{number}.jpg")
    status, created = call("POST", "/albums", {"title": "Été"})
    assert (status, created["state"], created["page_count"], created["url"]) == (202, "running", 2, None)
    assert batch.submitted[0]["parameters"] == {"album": created["id"]}
    path = f"/albums/{created['id']}"
    assert call("GET", path) == (200, created)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=page_key(created["id"], 1), Body=b"")
    assert call("GET", path) == (200, created | {"pages_done": 1})
    aws.s3.put_object(Bucket=THUMBNAILS, Key=pdf_key(created["id"]), Body=b"")
    batch.status = {}  # AWS Batch no longer has the jobs
    _, album = call("GET", path)
    assert album == created | {"state": "ready", "pages_done": 2, "url": album["url"]}
    assert urlsplit(album["url"]).path == f"/{pdf_key(created['id'])}"
    assert "%C3%89t%C3%A9.pdf" in unquote(album["url"])


def test_album_that_cannot_be_created_returns_an_error(call: Call, batch: RecordedBatch) -> None:
    assert call("POST", "/albums", {})[1]["error"]["code"] == "no_photos"
    pending = call("POST", "/photos", PHOTO)[1]["photo"]["id"]
    status, body = call("POST", "/albums", {"photos": [pending, UNKNOWN]})
    assert (status, body["error"]["code"]) == (400, "unknown_photos")
    assert UNKNOWN in body["error"]["message"]
    assert pending not in body["error"]["message"]
    _, body = call("POST", "/albums", {"photos": [f"{number:032}" for number in range(30)]})
    assert body["error"]["message"].endswith(" and 20 others.")
    assert batch.submitted == []


def test_failed_album_has_a_reason(call: Call, aws: MockedAws, batch: RecordedBatch) -> None:
    pending = call("POST", "/photos", PHOTO)[1]["photo"]["id"]
    _, created = call("POST", "/albums", {"photos": [pending]})
    batch.status = dict.fromkeys(batch.status, "FAILED")
    _, failed = call("GET", f"/albums/{created['id']}")
    aws.s3.delete_object(Bucket=THUMBNAILS, Key=jobs_key(created["id"]))
    _, not_submitted = call("GET", f"/albums/{created['id']}")
    for album in (failed, not_submitted):
        assert (album["state"], album["url"], album["reason"][-1]) == ("failed", None, ".")
    assert failed["reason"] != not_submitted["reason"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/photos/{UNKNOWN}"), ("DELETE", f"/photos/{UNKNOWN}"), ("GET", f"/albums/{UNKNOWN}")]
)
def test_unknown_id_is_not_found(call: Call, method: str, path: str) -> None:
    status, body = call(method, path)
    assert (status, body["error"]["code"]) == (404, "not_found")


def test_internal_error_is_logged_and_not_revealed(
    api: ModuleType, aws: MockedAws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    request = event("GET", "/photos")
    response = api.handler(request, None)
    assert_allowed(request, response)
    assert response["statusCode"] == 500
    assert not re.search(r"Resource|DynamoDB|Query|Traceback|arn:", response["body"])
    assert "ResourceNotFoundException" in caplog.text
    assert "GET /photos failed" in caplog.text


def test_calls_to_aws_time_out_before_the_gateway_does(api: ModuleType) -> None:
    config = api._CONFIG
    assert (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"] < 29


# Strategies for each field of an event, with likely values first.
TEXT = st.text(max_size=40)
IDS = st.sampled_from([UNKNOWN, "0" * 32, "", "..", "a/b"]) | TEXT
CURSORS = st.builds(Position, st.just("2026-11-24T10:00:00.000Z"), st.text(st.characters(exclude_categories=["Cs"])))
BODIES: st.SearchStrategy[Any] = st.sampled_from(
    [{}, PHOTO, {"title": "t"}, {"photos": [UNKNOWN]}, {"filename": "\ud800"}, [], None]
)
HEADER = st.sampled_from(["Content-Type", "content-type", "X-Api-Key"]) | TEXT
PARAMETERS = st.sampled_from(["1", "100"]) | CURSORS.map(encode_cursor) | TEXT
EVENTS = st.fixed_dictionaries(
    {
        "httpMethod": st.sampled_from([route.method for route in ROUTES]) | TEXT,
        "resource": st.sampled_from([route.path for route in ROUTES]) | TEXT,
        "path": TEXT,
        "headers": st.none() | st.dictionaries(HEADER, st.just("application/json") | TEXT),
        "queryStringParameters": st.none(),
        "multiValueQueryStringParameters": st.none()
        | st.dictionaries(st.sampled_from(["limit", "cursor"]) | TEXT, st.lists(PARAMETERS, min_size=1)),
        "pathParameters": st.none() | st.dictionaries(st.just("id") | TEXT, IDS),
        "body": st.none() | BODIES.map(json.dumps) | TEXT | st.just(" " * (MAX_BODY + 1)),
        "isBase64Encoded": st.booleans(),
        "requestContext": st.just({}),
    }
)


@given(EVENTS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_event_gets_an_allowed_response_below_500(api: ModuleType, request: dict[str, Any]) -> None:
    response = api.handler(request, None)
    assert_allowed(request, response)
    assert response["statusCode"] < 500
    json.dumps(response).encode()
