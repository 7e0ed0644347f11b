"""The REST API as its clients meet it: every route, everything it refuses, with IAM enforced."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader
from urllib3 import BaseHTTPResponse

from api.contract import ROUTES, ErrorCode, Route
from local.client import Client
from local.deployment import Deployment
from local.emulator import ROOT
from local.sandbox import Sandbox
from photos.catalogue import LISTING
from tests.e2e.eventually import eventually

PHOTO = (ROOT / "local" / "photos" / "rocket.jpg").read_bytes()
SOMEONE_ELSE = "127.0.0.2"
NO_ID = "0" * 32
_UNLIMITED = {"throttle": {"rateLimit": 10_000, "burstLimit": 10_000}}


@pytest.fixture(scope="module")
def key(deployment: Deployment) -> str:
    return deployment.api_key()


@pytest.fixture(scope="module")
def url(deployment: Deployment) -> str:
    return deployment.outputs["Api"]["ApiUrl"]


@pytest.fixture(scope="module")
def client(url: str, key: str) -> Client:
    return Client(url, key)


@pytest.fixture(autouse=True)
def nothing_left(deployment: Deployment) -> Iterator[None]:
    """After each test every photo is gone, however far it came."""
    yield
    outputs, s3, dynamodb = deployment.outputs["Thumbnails"], deployment.client("s3"), deployment.client("dynamodb")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=outputs["OriginalsBucket"]):
        for entry in page.get("Contents", []):
            s3.delete_object(Bucket=outputs["OriginalsBucket"], Key=entry["Key"])
    for item in deployment.items(outputs["CatalogueTable"]):
        if item["state"] == "pending" or "etag" not in item:
            dynamodb.delete_item(TableName=outputs["CatalogueTable"], Key={"key": {"S": item["key"]}})
    eventually(lambda: not deployment.items(outputs["CatalogueTable"]))


def _announce(client: Client, filename: str = "röcket 1.jpg") -> dict[str, Any]:
    body = {"filename": filename, "content_type": "image/jpeg", "size": len(PHOTO)}
    answer = client.ask("POST", "photos", body)
    assert answer.status == 201, answer.data
    announced: dict[str, Any] = answer.json()
    # Photos are found and listed by indexes, which follow the table.
    eventually(lambda: client.ask("GET", f"photos/{announced['photo']['id']}").status == 200)
    return announced


def _upload(client: Client) -> dict[str, Any]:
    """A photo that is ready."""
    announced = _announce(client)
    assert client.send(announced["upload"], PHOTO).status == 204

    def ready() -> Any:
        photo = client.ask("GET", f"photos/{announced['photo']['id']}").json()
        return photo if photo["state"] == "ready" else None

    photo: dict[str, Any] = eventually(ready)
    return photo


def _assert_refused(answer: BaseHTTPResponse, code: ErrorCode) -> str:
    """It has the one shape of errors, and a page of any origin may read it. Returns its message."""
    assert answer.status == code.status, answer.data
    body = answer.json()
    assert body["error"].keys() == {"code", "message"} and len(body) == 1
    assert body["error"]["code"] == code
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    message: str = body["error"]["message"]
    return message


def _path(route: Route) -> str:
    return route.path.lstrip("/").replace("{id}", NO_ID)


def test_health(client: Client) -> None:
    answer = client.ask("GET", "health")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_a_photo_from_its_announcement_to_its_end(deployment: Deployment, client: Client) -> None:
    announced = _announce(client)
    photo = announced["photo"]
    assert (photo["filename"], photo["state"], photo["thumbnails"]) == ("röcket 1.jpg", "pending", {})
    eventually(lambda: client.ask("GET", "photos").json() == {"photos": [photo], "next_cursor": None})

    assert client.send(announced["upload"], PHOTO).status == 204
    where = f"photos/{photo['id']}"
    eventually(lambda: client.ask("GET", where).json()["state"] == "ready")
    ready = client.ask("GET", where).json()
    assert client.ask("GET", "photos").json()["photos"][0]["id"] == photo["id"]
    for size, link in ready["thumbnails"].items():
        thumbnail = client.open(link)
        assert thumbnail.headers["Content-Type"] == "image/webp"
        assert max(Image.open(io.BytesIO(thumbnail.data)).size) == min(int(size), 640)

    assert client.ask("DELETE", where).status == 204
    eventually(lambda: client.ask("GET", where).status == 404)
    _assert_refused(client.ask("DELETE", where), ErrorCode.NOT_FOUND)
    assert client.open(ready["thumbnails"]["256"]).status in (403, 404)
    bucket = deployment.outputs["Thumbnails"]["OriginalsBucket"]
    assert "Contents" not in deployment.client("s3").list_objects_v2(Bucket=bucket)


def test_a_photo_announced_and_not_uploaded_can_be_deleted(client: Client) -> None:
    where = f"photos/{_announce(client)['photo']['id']}"
    assert client.ask("DELETE", where).status == 204
    eventually(lambda: client.ask("GET", where).status == 404)


def test_a_file_that_is_no_photo_is_told_as_such(client: Client) -> None:
    text = b"This is a text."
    body = {"filename": "text.jpg", "content_type": "image/jpeg", "size": len(text)}
    announced = client.ask("POST", "photos", body).json()
    assert client.send(announced["upload"], text).status == 204
    where = f"photos/{announced['photo']['id']}"
    eventually(lambda: client.ask("GET", where).json()["state"] == "rejected")
    photo = client.ask("GET", where).json()
    assert photo["code"] == "not_a_photo" and photo["reason"]


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
    deployment: Deployment, client: Client, photo: bytes, changed: dict[str, str], status: int
) -> None:
    announced = _announce(client)
    assert client.send(announced["upload"], photo, **changed).status == status
    bucket = deployment.outputs["Thumbnails"]["OriginalsBucket"]
    assert "Contents" not in deployment.client("s3").list_objects_v2(Bucket=bucket)


def test_pages_are_newest_first_without_gap_or_repetition(deployment: Deployment, client: Client) -> None:
    table = deployment.outputs["Thumbnails"]["CatalogueTable"]
    ids = [f"{number:032x}" for number in range(230)]
    for start in range(0, len(ids), 25):
        items = [
            {
                "key": {"S": f"made up/{photo_id}"},
                "id": {"S": photo_id},
                "state": {"S": "pending"},
                "created_at": {"S": f"2020-01-01T00:00:{int(photo_id, 16) // 4:02}.000Z"},  # four at the same time
                "listing": {"S": LISTING},
            }
            for photo_id in ids[start : start + 25]
        ]
        requests = [{"PutRequest": {"Item": item}} for item in items]
        deployment.client("dynamodb").batch_write_item(RequestItems={table: requests})
    eventually(lambda: len(_listed(client)) == len(ids))
    listed = _listed(client)
    assert {photo["id"] for photo in listed} == set(ids)
    times = [photo["created_at"] for photo in listed]
    assert times == sorted(times, reverse=True)


def _listed(client: Client) -> list[dict[str, Any]]:
    """All photos, page by page."""
    listed, cursor = [], ""
    while cursor is not None:
        answer = client.ask("GET", f"photos?limit=100{f'&cursor={cursor}' if cursor else ''}").json()
        listed += answer["photos"]
        cursor = answer["next_cursor"]
    return listed


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "cursor=AAAA", "cursor=", "x=1"]
)
def test_wrong_queries_are_refused(client: Client, query: str) -> None:
    _assert_refused(client.ask("GET", f"photos?{query}"), ErrorCode.INVALID_REQUEST)


def test_what_is_no_id_leads_nowhere(sandbox: Sandbox, url: str, client: Client, proof: Callable[..., None]) -> None:
    photo_id = _announce(client)["photo"]["id"]
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
    with _of_its_own_plan(sandbox, **_UNLIMITED) as key:
        for path in paths:
            for method in ("GET", "DELETE") if path.startswith("photos/") else ("GET",):
                _assert_refused(Client(url, key).ask(method, path), ErrorCode.NOT_FOUND)
    assert client.ask("GET", f"photos/{photo_id}").status == 200
    proof(
        "Nothing is open",
        tried="ids of nothing, of another kind or almost of a photo, and tricks in paths, of photos and albums",
        times=len(paths),
        found="each is not found, in the one shape of errors",
    )


@pytest.mark.parametrize(("method", "path"), [("GET", "nothing"), ("PUT", "photos"), ("GET", "albums"), ("GET", "")])
def test_what_is_not_there_is_not_found(client: Client, method: str, path: str) -> None:
    _assert_refused(client.ask(method, path), ErrorCode.NOT_FOUND)


def test_an_album_of_all_photos_that_are_ready(client: Client) -> None:
    _upload(client)
    _announce(client)  # not ready: not in it
    answer = client.ask("POST", "albums", {"title": "Ürlaub"})
    assert answer.status == 202
    album = answer.json()
    assert (album["state"], album["pages_done"], album["page_count"], album["url"]) == ("running", 0, 1, None)
    where = f"albums/{album['id']}"
    eventually(lambda: client.ask("GET", where).json()["state"] != "running")
    album = client.ask("GET", where).json()
    assert (album["title"], album["state"], album["pages_done"]) == ("Ürlaub", "ready", 1)
    pdf = client.open(album["url"])
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(pdf.data), strict=True).pages) == 1


def test_an_album_of_photos_that_are_not_there_is_refused_and_names_them(client: Client) -> None:
    known = _announce(client)["photo"]["id"]
    answer = client.ask("POST", "albums", {"photos": [known, NO_ID]})
    message = _assert_refused(answer, ErrorCode.UNKNOWN_PHOTOS)
    assert NO_ID in message and known not in message


def test_an_album_of_nothing_is_refused(client: Client) -> None:
    _assert_refused(client.ask("POST", "albums", {}), ErrorCode.NO_PHOTOS)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"filename": "a", "content_type": "text/plain", "size": 1}'],
    ids=["nothing", "no JSON", "no object", "incomplete", "of another type"],
)
def test_the_gateway_refuses_wrong_bodies_without_the_function(sandbox: Sandbox, client: Client, body: bytes) -> None:
    with _broken_function(sandbox):  # which would answer with another error
        _assert_refused(client.ask("POST", "photos", body), ErrorCode.INVALID_REQUEST)


def test_bodies_that_are_too_large_or_of_another_type_are_refused(client: Client, proof: Callable[..., None]) -> None:
    large = json.dumps({"title": "", "photos": [f"{number:032x}" for number in range(1200)]}).encode() + b" " * 2**17
    _assert_refused(client.ask("POST", "albums", large), ErrorCode.TOO_LARGE)
    types = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml")
    for content_type in types:
        other = client.ask("POST", "albums", b"{}", **{"Content-Type": content_type})
        _assert_refused(other, ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    proof(
        "Nothing is open",
        tried="bodies of over 128 KiB, and of types that are not JSON",
        times=1 + len(types),
        found="each is refused, in the one shape of errors",
    )


WRITES = [route for route in ROUTES if route.needs_key]


def test_writing_needs_the_key(url: str, key: str, proof: Callable[..., None]) -> None:
    wrong = ["", "not-the-key-at-all-but-long", key[:-1], key + "0", key.swapcase()]
    for route in WRITES:
        for other in wrong:
            message = _assert_refused(Client(url, other).ask(route.method, _path(route), {}), ErrorCode.FORBIDDEN)
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
    elsewhere = Client(url, key, address=SOMEONE_ELSE)
    for route in ROUTES:
        message = _assert_refused(elsewhere.ask(route.method, _path(route), {}), ErrorCode.ADDRESS_NOT_ALLOWED)
        assert "arn:" not in message and "address" in message, route
    claimed = {"X-Forwarded-For": "127.0.0.1", "X-Real-Ip": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    for header, address in claimed.items():
        _assert_refused(elsewhere.ask("GET", "photos", **{header: address}), ErrorCode.ADDRESS_NOT_ALLOWED)
    proof(
        "Nothing is open",
        tried=f"each of {len(ROUTES)} routes with the key from another address, and headers that claim the right one",
        times=len(ROUTES) + len(claimed),
        found="each is refused, in the one shape of errors",
    )


@pytest.mark.usefixtures("sandbox")
def test_links_do_not_hold_from_someone_elses_address(url: str, client: Client, proof: Callable[..., None]) -> None:
    elsewhere = Client(url, address=SOMEONE_ELSE)
    assert elsewhere.send(_announce(client)["upload"], PHOTO).status == 403
    (link, _other) = _upload(client)["thumbnails"].values()
    assert (client.open(link).status, elsewhere.open(link).status) == (200, 403)
    proof(
        "Nothing is open",
        tried="a form and a link that the API signed, used from another address",
        times=2,
        found="both are refused; the link leads to its thumbnail from the right one",
    )


def test_a_link_leads_to_its_thumbnail_only(client: Client, proof: Callable[..., None]) -> None:
    link, other = (_upload(client)["thumbnails"]["256"] for _ in range(2))
    changed = {
        "of another photo": other.partition("?")[0] + "?" + link.partition("?")[2],
        "of another size": link.replace("256.webp", "1024.webp"),
        "without its signature": link.partition("?")[0],
    }
    assert client.open(link).status == 200
    assert {what: client.open(other_link).status for what, other_link in changed.items()} == dict.fromkeys(changed, 403)
    proof(
        "Nothing is open",
        tried=f"a link that the API signed, changed: {', '.join(changed)}",
        times=len(changed),
        found="each is refused; unchanged it leads to its thumbnail",
    )


@pytest.mark.parametrize("path", sorted({_path(route) for route in ROUTES}))
def test_a_page_of_another_origin_may_ask(url: str, path: str) -> None:
    asked = {"Origin": "http://page.example", "Access-Control-Request-Method": "POST"}
    answer = Client(url).ask("OPTIONS", path, **asked, **{"Access-Control-Request-Headers": "content-type,x-api-key"})
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"DELETE", "GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(","))
    assert {"Content-Type", "X-Api-Key"} <= set(answer.headers["Access-Control-Allow-Headers"].split(","))


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("PUT", 403), ("GET", 403)])
def test_a_page_of_another_origin_may_send_the_form(client: Client, method: str, status: int) -> None:
    form = _announce(client)["upload"]
    bucket = Client(f"{form['url']}/")
    asked = {"Origin": "http://page.example", "Access-Control-Request-Method": method}
    assert bucket.ask("OPTIONS", "", **asked).status == status
    assert client.send(form, PHOTO).headers["Access-Control-Allow-Origin"] == "*"


@contextmanager
def _of_its_own_plan(sandbox: Sandbox, **plan: Any) -> Iterator[str]:
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


@pytest.mark.usefixtures("sandbox")
def test_more_requests_at_once_than_the_plan_allows_are_refused_and_then_taken_again(
    client: Client, proof: Callable[..., None]
) -> None:
    def ask() -> BaseHTTPResponse:
        return client.ask("POST", "photos", {})  # for a short answer

    answers = [ask() for _ in range(100)]
    refused = [answer for answer in answers if answer.status != 400]
    assert 0 < len(refused) < 100
    for answer in refused:
        _assert_refused(answer, ErrorCode.TOO_MANY_REQUESTS)
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
    with _of_its_own_plan(sandbox, quota={"limit": 2, "period": "DAY"}) as key:
        answers = [Client(url, key).ask("DELETE", f"photos/{NO_ID}") for _ in range(3)]
        assert [answer.status for answer in answers] == [404, 404, 429]
        _assert_refused(answers[-1], ErrorCode.TOO_MANY_REQUESTS)
    proof(
        "Nothing is open",
        tried="requests with a key whose plan allows two a day",
        times=len(answers),
        found="the third is refused, in the one shape of errors",
    )


@contextmanager
def _broken_function(sandbox: Sandbox) -> Iterator[None]:
    """The function cannot start: it is not told where the catalogue is."""
    lambda_ = sandbox.client("lambda")
    (name,) = [
        it["FunctionName"] for it in lambda_.list_functions()["Functions"] if it["Handler"] == "api.handler.handler"
    ]
    variables = lambda_.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    without = {variable: value for variable, value in variables.items() if variable != "CATALOGUE_TABLE"}
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": without})
    yield
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_a_function_that_does_not_start_is_a_fault_that_tells_nothing(sandbox: Sandbox, client: Client) -> None:
    with _broken_function(sandbox):
        message = _assert_refused(client.ask("GET", "photos"), ErrorCode.INTERNAL_ERROR)
    assert "CATALOGUE_TABLE" not in message
    assert client.ask("GET", "photos").status == 200


def test_a_fault_of_another_service_tells_nothing(sandbox: Sandbox, client: Client) -> None:
    iam = sandbox.client("iam")
    (role,) = [it["RoleName"] for it in iam.list_roles()["Roles"] if "Api-FunctionRole" in it["RoleName"]]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    without = document.replace('"dynamodb:Query"', '"dynamodb:Scan"')
    assert without != document
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=without)
    try:
        message = _assert_refused(client.ask("GET", "photos"), ErrorCode.INTERNAL_ERROR)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
    assert "dynamodb" not in message.lower() and "role" not in message


def test_each_request_is_in_the_access_log_also_those_refused(sandbox: Sandbox, url: str, client: Client) -> None:
    client.ask("DELETE", f"photos/{'a' * 32}")
    Client(url, address=SOMEONE_ELSE).ask("GET", f"photos/{'b' * 32}")
    s3 = sandbox.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if "api-accesslogbucket" in it["Name"]]

    def lines() -> dict[str, Any]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        entries = [entry for page in pages for entry in page["Contents"]]
        newest = sorted(entries, key=lambda entry: entry["LastModified"])[-20:]
        logged = [json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()) for entry in newest]
        return {line["path"][-1]: line for line in logged if line["path"][-2:] in ("aa", "bb")}

    eventually(lambda: lines().keys() == {"a", "b"})
    ours, theirs = lines()["a"], lines()["b"]
    assert (ours["ip"], ours["method"], ours["status"]) == ("127.0.0.1", "DELETE", "404")
    assert ours["key"] == sandbox.outputs["Api"]["ApiKeyId"]
    assert (theirs["ip"], theirs["status"], theirs["error"]) == (SOMEONE_ELSE, "403", "ACCESS_DENIED")


def test_the_key_is_in_no_log(sandbox: Sandbox, client: Client, key: str, proof: Callable[..., None]) -> None:
    _announce(client)
    client.ask("POST", "albums", b"{")
    s3 = sandbox.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if "api-accesslogbucket" in it["Name"]]
    function = sandbox.log_lines("Api")
    access = [
        s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for entry in page["Contents"]
    ]
    assert function and access
    assert [line for line in (*function, *access) if key in line] == []
    proof(
        "Nothing is open",
        tried="lines of the API's function and of its access log, searched for the key",
        times=len(function) + len(access),
        found="it is in none",
    )


def test_what_the_openapi_document_allows_and_what_it_does_not_is_answered_as_it_says(
    sandbox: Sandbox, url: str, tmp_path: Path
) -> None:
    excluded = [
        "positive_data_acceptance",  # ids and cursors of the right form are refused all the same if there are none such
        "unsupported_method",  # API Gateway does not tell unknown methods from unknown paths: 404, not 405
    ]
    with _of_its_own_plan(sandbox, **_UNLIMITED) as key:
        run = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", ROOT / "docs" / "openapi.json"),
                *("--url", url, "--header", f"X-Api-Key: {key}", "--max-examples", "10"),
                *("--exclude-checks", ",".join(excluded), "--generation-database", "none", "--no-color"),
            ],
            cwd=tmp_path,
            env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr
    assert "Tested: 7" in run.stdout
