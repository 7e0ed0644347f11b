"""The API's function: each route of the contract, answered as the contract says, whatever comes."""

import importlib
import json
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import fastjsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.contract import MAX_BODY, RESPONSES, ROUTES, ErrorCode
from photos.albums import page_key, pdf_key
from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.keys import photo_id, thumbnail_key
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Thumbnailer
from tests.lambda_src.api.events import event
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, RecordedBatch, jpeg

PHOTO = {"filename": "a b.jpg", "content_type": "image/jpeg", "size": 3}
UNKNOWN = "f" * 32

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def batch() -> RecordedBatch:
    return RecordedBatch()


@pytest.fixture
def api(aws: MockedAws, batch: RecordedBatch, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The handler's module as Lambda loads it: its clients are made when it is imported."""
    monkeypatch.setenv("ORIGINALS_BUCKET", ORIGINALS)
    monkeypatch.setenv("THUMBNAILS_BUCKET", THUMBNAILS)
    monkeypatch.setenv("CATALOGUE_TABLE", CATALOGUE)
    for job in ("PAGE", "BIND"):
        monkeypatch.setenv(f"{job}_JOB_QUEUE", "queue")
        monkeypatch.setenv(f"{job}_JOB_DEFINITION", "definition:1")
    client = boto3.client

    def client_or_batch(service: Any, **more: Any) -> Any:
        return batch if service == "batch" else client(service, **more)

    monkeypatch.setattr(boto3, "client", client_or_batch)
    import api.handler

    return importlib.reload(api.handler)


@pytest.fixture
def ask(api: ModuleType) -> Ask:
    """Ask the API. Returns status and body of its answer, which is one of the contract's."""

    def answer_to(method: str, path: str, body: object = None) -> tuple[int, Any]:
        asked = event(method, path, body)
        answer = api.handler(asked, None)
        check(asked, answer)
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    return answer_to


def validator(name: str) -> Any:
    return fastjsonschema.compile({"$ref": f"#/components/schemas/{name}", "components": {"schemas": dict(RESPONSES)}})


VALIDATORS = {name: validator(name) for name in RESPONSES}


def check(asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Raises unless this is an answer that the contract allows to what was asked."""
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"
    assert answer["headers"]["Cache-Control"] == "no-store"
    route = next((r for r in ROUTES if (r.method, r.path) == (asked["httpMethod"], asked["resource"])), None)
    if route and answer["statusCode"] == route.status:
        if route.response is None:
            assert answer["body"] == ""
        else:
            VALIDATORS[route.response](json.loads(answer["body"]))
        return
    body = json.loads(answer["body"])
    VALIDATORS["Error"](body)
    code = ErrorCode(body["error"]["code"])
    assert answer["statusCode"] == code.status
    assert (
        code in (*route.errors, ErrorCode.INVALID_REQUEST, ErrorCode.INTERNAL_ERROR) if route else code == "not_found"
    )


def make_ready(aws: MockedAws, key: str) -> Upload:
    """What the events of S3 do: the photo of this key gets its thumbnails, or a rejection."""
    etag = aws.s3.head_object(Bucket=ORIGINALS, Key=key)["ETag"].strip('"')
    thumbnailer = Thumbnailer(
        Originals(aws.s3, ORIGINALS), Thumbnails(aws.s3, THUMBNAILS), Catalogue(aws.dynamodb, CATALOGUE)
    )
    upload = Upload(etag, "02")
    thumbnailer.uploaded(key, upload)
    return upload


def test_health_asks_nobody(ask: Ask, aws: MockedAws) -> None:
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    assert ask("GET", "/health") == (200, {"status": "ok"})


def test_a_photo_from_announcement_to_deletion(ask: Ask, aws: MockedAws) -> None:
    status, announced = ask("POST", "/photos", PHOTO)
    assert (status, announced["photo"]["state"], announced["photo"]["filename"]) == (201, "pending", "a b.jpg")
    assert announced["photo"]["thumbnails"] == {}
    key = announced["upload"]["fields"]["key"]
    assert announced["photo"]["id"] == photo_id(key)

    aws.put(key, jpeg())
    upload = make_ready(aws, key)
    path = f"/photos/{photo_id(key)}"
    status, photo = ask("GET", path)
    assert (status, photo["state"], photo["created_at"]) == (200, "ready", announced["photo"]["created_at"])
    assert {size: urlsplit(link).path for size, link in photo["thumbnails"].items()} == {
        str(size): f"/{thumbnail_key(key, upload, size)}" for size in (256, 1024)
    }

    assert ask("DELETE", path) == (204, None)
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=ORIGINALS)


def test_a_pending_photo_is_gone_at_once(ask: Ask) -> None:
    _, announced = ask("POST", "/photos", PHOTO)
    path = f"/photos/{announced['photo']['id']}"
    assert ask("DELETE", path) == (204, None)
    assert [ask(method, path)[0] for method in ("DELETE", "GET")] == [404, 404]


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
def test_a_photo_put_into_the_bucket_under_any_key(ask: Ask, aws: MockedAws, key: str, filename: str) -> None:
    aws.put(key, b"no photo")
    make_ready(aws, key)
    _, photo = ask("GET", f"/photos/{photo_id(key)}")
    assert (photo["filename"], photo["state"], photo["code"]) == (filename, "rejected", "not_a_photo")
    assert photo["reason"].endswith(".")
    assert ask("GET", "/photos") == (200, {"photos": [photo], "next_cursor": None})
    assert ask("DELETE", f"/photos/{photo_id(key)}") == (204, None)


def test_pages(ask: Ask) -> None:
    ids = {ask("POST", "/photos", PHOTO)[1]["photo"]["id"] for _ in range(5)}
    seen, cursor = [], ""
    for _ in range(3):
        _, page = ask("GET", f"/photos?limit=2{cursor}")
        seen += [photo["id"] for photo in page["photos"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert (len(seen), set(seen)) == (5, ids)
    status, answer = ask("GET", "/photos?cursor=made-up")
    assert (status, answer["error"]["code"]) == (400, "invalid_request")


def test_an_album_from_order_to_pdf(ask: Ask, aws: MockedAws, batch: RecordedBatch) -> None:
    for number in range(13):
        aws.put(f"{number}.jpg", jpeg())
        make_ready(aws, f"{number}.jpg")
    status, ordered = ask("POST", "/albums", {"title": "Été"})
    assert (status, ordered["state"], ordered["page_count"], ordered["url"]) == (202, "running", 2, None)
    assert batch.submitted[0]["parameters"] == {"album": ordered["id"]}
    path = f"/albums/{ordered['id']}"
    assert ask("GET", path) == (200, ordered)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=page_key(ordered["id"], 1), Body=b"")
    assert ask("GET", path) == (200, ordered | {"pages_done": 1})
    aws.s3.put_object(Bucket=THUMBNAILS, Key=pdf_key(ordered["id"]), Body=b"")
    _, album = ask("GET", path)
    assert album == ordered | {"state": "ready", "pages_done": 2, "url": album["url"]}
    assert urlsplit(album["url"]).path == f"/{pdf_key(ordered['id'])}"
    assert "%C3%89t%C3%A9.pdf" in unquote(album["url"])


def test_albums_that_cannot_be_made(ask: Ask, batch: RecordedBatch) -> None:
    assert ask("POST", "/albums", {})[1]["error"]["code"] == "no_photos"
    pending = ask("POST", "/photos", PHOTO)[1]["photo"]["id"]
    status, answer = ask("POST", "/albums", {"photos": [pending, UNKNOWN]})
    assert (status, answer["error"]["code"]) == (400, "unknown_photos")
    assert UNKNOWN in answer["error"]["message"]
    assert pending not in answer["error"]["message"]
    assert batch.submitted == []
    _, ordered = ask("POST", "/albums", {"photos": [pending]})
    batch.status = dict.fromkeys(batch.status, "FAILED")
    _, album = ask("GET", f"/albums/{ordered['id']}")
    assert (album["state"], album["reason"], album["url"]) == ("failed", "Its pages could not be made.", None)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"/photos/{UNKNOWN}"), ("DELETE", f"/photos/{UNKNOWN}"), ("GET", f"/albums/{UNKNOWN}")]
)
def test_what_is_not_there(ask: Ask, method: str, path: str) -> None:
    status, answer = ask(method, path)
    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_an_id_that_is_none_reaches_nothing(ask: Ask, aws: MockedAws) -> None:
    for client in (aws.s3, aws.dynamodb):
        client.meta.events.register("before-call", lambda model, **_: pytest.fail(model.name))
    assert ask("GET", "/albums/..")[0] == ask("DELETE", "/photos/a.jpg")[0] == 404


def test_a_fault_is_told_in_the_log_and_nowhere_else(
    api: ModuleType, aws: MockedAws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.dynamodb.delete_table(TableName=CATALOGUE)
    asked = event("GET", "/photos")
    answer = api.handler(asked, None)
    check(asked, answer)
    assert answer["statusCode"] == 500
    assert not re.search(r"Resource|DynamoDB|Query|Traceback|arn:", answer["body"])
    assert "ResourceNotFoundException" in caplog.text
    assert "GET /photos failed" in caplog.text


def test_the_gateway_s_patience_is_longer_than_ours(api: ModuleType) -> None:
    config = api._CONFIG
    one_call = (config.connect_timeout + config.read_timeout) * config.retries["total_max_attempts"]
    assert one_call < 29


# What may come in each place of an event, the likely first.
TEXT = st.text(max_size=40)
IDS = st.sampled_from([UNKNOWN, "0" * 32, "", "..", "a/b"]) | TEXT
BODIES = st.sampled_from([{}, PHOTO, {"title": "t"}, {"photos": [UNKNOWN]}, {"filename": "\ud800"}, [], None]).map(
    json.dumps
)
EVENTS = st.fixed_dictionaries(
    {
        "httpMethod": st.sampled_from([route.method for route in ROUTES]) | TEXT,
        "resource": st.sampled_from([route.path for route in ROUTES]) | TEXT,
        "path": TEXT,
        "headers": st.none()
        | st.dictionaries(
            st.sampled_from(["Content-Type", "content-type", "X-Api-Key"]) | TEXT, st.just("application/json") | TEXT
        ),
        "queryStringParameters": st.none(),
        "multiValueQueryStringParameters": st.none()
        | st.dictionaries(
            st.sampled_from(["limit", "cursor"]) | TEXT, st.lists(st.sampled_from(["1", "100"]) | TEXT, min_size=1)
        ),
        "pathParameters": st.none() | st.dictionaries(st.just("id") | TEXT, IDS),
        "body": st.none() | BODIES | TEXT | st.just(" " * (MAX_BODY + 1)),
        "isBase64Encoded": st.booleans(),
        "requestContext": st.just({}),
    }
)


@given(EVENTS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_is_answered_and_no_fault(api: ModuleType, asked: dict[str, Any]) -> None:
    answer = api.handler(asked, None)
    check(asked, answer)
    assert answer["statusCode"] < 500
    json.dumps(answer).encode()
