"""What each route of the REST API does."""

import io
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from api.contract import ROUTES, ErrorCode
from local.api_client import ApiClient
from local.deployment import Deployment
from photos.catalogue import LISTING
from tests.e2e.api.asking import (
    NO_ID,
    PHOTO,
    announce,
    assert_refused,
    path_of,
    upload,
)
from tests.e2e.eventually import eventually


def test_health(client: ApiClient) -> None:
    answer = client.request("GET", "health")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_a_photo_from_its_announcement_to_its_end(deployment: Deployment, client: ApiClient) -> None:
    announced = announce(client)
    photo = announced["photo"]
    assert (photo["filename"], photo["state"], photo["thumbnails"]) == ("röcket 1.jpg", "pending", {})
    eventually(lambda: client.request("GET", "photos").json() == {"photos": [photo], "next_cursor": None})

    assert client.upload(announced["upload"], PHOTO).status == 204
    where = f"photos/{photo['id']}"
    eventually(lambda: client.request("GET", where).json()["state"] == "ready")
    ready = client.request("GET", where).json()
    assert client.request("GET", "photos").json()["photos"][0]["id"] == photo["id"]
    for size, link in ready["thumbnails"].items():
        thumbnail = client.fetch(link)
        assert thumbnail.headers["Content-Type"] == "image/webp"
        assert max(Image.open(io.BytesIO(thumbnail.data)).size) == min(int(size), 640)

    assert client.request("DELETE", where).status == 204
    eventually(lambda: client.request("GET", where).status == 404)
    assert_refused(client.request("DELETE", where), ErrorCode.NOT_FOUND)
    assert client.fetch(ready["thumbnails"]["256"]).status in (403, 404)
    bucket = deployment.outputs["Thumbnails"]["OriginalsBucket"]
    assert "Contents" not in deployment.client("s3").list_objects_v2(Bucket=bucket)


def test_a_photo_announced_and_not_uploaded_can_be_deleted(client: ApiClient) -> None:
    where = f"photos/{announce(client)['photo']['id']}"
    assert client.request("DELETE", where).status == 204
    eventually(lambda: client.request("GET", where).status == 404)


def test_a_file_that_is_no_photo_is_told_as_such(client: ApiClient) -> None:
    text = b"This is a text."
    body = {"filename": "text.jpg", "content_type": "image/jpeg", "size": len(text)}
    announced = client.request("POST", "photos", body).json()
    assert client.upload(announced["upload"], text).status == 204
    where = f"photos/{announced['photo']['id']}"
    eventually(lambda: client.request("GET", where).json()["state"] == "rejected")
    photo = client.request("GET", where).json()
    assert photo["code"] == "not_a_photo" and photo["reason"]


def test_pages_are_newest_first_without_gap_or_repetition(deployment: Deployment, client: ApiClient) -> None:
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


def _listed(client: ApiClient) -> list[dict[str, Any]]:
    """All photos, page by page."""
    listed, cursor = [], ""
    while cursor is not None:
        answer = client.request("GET", f"photos?limit=100{f'&cursor={cursor}' if cursor else ''}").json()
        listed += answer["photos"]
        cursor = answer["next_cursor"]
    return listed


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "cursor=AAAA", "cursor=", "x=1"]
)
def test_wrong_queries_are_refused(client: ApiClient, query: str) -> None:
    assert_refused(client.request("GET", f"photos?{query}"), ErrorCode.INVALID_REQUEST)


@pytest.mark.parametrize(("method", "path"), [("GET", "nothing"), ("PUT", "photos"), ("GET", "albums"), ("GET", "")])
def test_what_is_not_there_is_not_found(client: ApiClient, method: str, path: str) -> None:
    assert_refused(client.request(method, path), ErrorCode.NOT_FOUND)


def test_an_album_of_all_photos_that_are_ready(client: ApiClient) -> None:
    upload(client)
    announce(client)  # not ready: not in it
    answer = client.request("POST", "albums", {"title": "Ürlaub"})
    assert answer.status == 202
    album = answer.json()
    assert (album["state"], album["pages_done"], album["page_count"], album["url"]) == ("running", 0, 1, None)
    where = f"albums/{album['id']}"
    eventually(lambda: client.request("GET", where).json()["state"] != "running")
    album = client.request("GET", where).json()
    assert (album["title"], album["state"], album["pages_done"]) == ("Ürlaub", "ready", 1)
    pdf = client.fetch(album["url"])
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(pdf.data), strict=True).pages) == 1


def test_an_album_of_photos_that_are_not_there_is_refused_and_names_them(client: ApiClient) -> None:
    known = announce(client)["photo"]["id"]
    answer = client.request("POST", "albums", {"photos": [known, NO_ID]})
    message = assert_refused(answer, ErrorCode.UNKNOWN_PHOTOS)
    assert NO_ID in message and known not in message


def test_an_album_of_nothing_is_refused(client: ApiClient) -> None:
    assert_refused(client.request("POST", "albums", {}), ErrorCode.NO_PHOTOS)


@pytest.mark.parametrize("path", sorted({path_of(route) for route in ROUTES}))
def test_a_page_of_another_origin_may_ask(url: str, path: str) -> None:
    asked = {"Origin": "http://page.example", "Access-Control-Request-Method": "POST"}
    answer = ApiClient(url).request(
        "OPTIONS", path, **asked, **{"Access-Control-Request-Headers": "content-type,x-api-key"}
    )
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"DELETE", "GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(","))
    assert {"Content-Type", "X-Api-Key"} <= set(answer.headers["Access-Control-Allow-Headers"].split(","))


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("PUT", 403), ("GET", 403)])
def test_a_page_of_another_origin_may_send_the_form(client: ApiClient, method: str, status: int) -> None:
    form = announce(client)["upload"]
    bucket = ApiClient(f"{form['url']}/")
    asked = {"Origin": "http://page.example", "Access-Control-Request-Method": method}
    assert bucket.request("OPTIONS", "", **asked).status == status
    assert client.upload(form, PHOTO).headers["Access-Control-Allow-Origin"] == "*"
