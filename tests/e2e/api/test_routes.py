"""The routes of the REST API."""

import io

import pytest
from PIL import Image
from pypdf import PdfReader

from api.contract import ROUTES, ErrorCode
from local.api_client import ApiClient
from local.deployment import Deployment
from tests.e2e.api.api_requests import (
    PHOTO,
    assert_error,
    finished,
    path_of,
    register_upload,
    upload,
)
from tests.e2e.eventually import eventually
from tests.e2e.photos import originals


def test_photo_from_upload_request_to_deletion(deployment: Deployment, client: ApiClient) -> None:
    registered = register_upload(client)
    photo = registered["photo"]
    assert (photo["filename"], photo["state"], photo["thumbnails"]) == ("röcket 1.jpg", "pending", {})
    eventually(lambda: client.request("GET", "photos").json() == {"photos": [photo], "next_cursor": None})

    assert client.upload(registered["upload"], PHOTO).status == 204
    path = f"photos/{photo['id']}"
    ready = finished(client, path)
    assert ready["state"] == "ready"
    assert client.request("GET", "photos").json()["photos"][0]["id"] == photo["id"]
    for size, url in ready["thumbnails"].items():
        thumbnail = client.fetch(url)
        assert thumbnail.headers["Content-Type"] == "image/webp"
        assert max(Image.open(io.BytesIO(thumbnail.data)).size) == min(int(size), 640)

    assert client.request("DELETE", path).status == 204
    eventually(lambda: client.request("GET", path).status == 404)
    assert_error(client.request("DELETE", path), ErrorCode.NOT_FOUND)
    assert client.fetch(next(iter(ready["thumbnails"].values()))).status in (403, 404)
    assert originals(deployment) == []


@pytest.mark.parametrize(("method", "path"), [("GET", "nothing"), ("PUT", "photos"), ("GET", "albums"), ("GET", "")])
def test_unknown_routes_are_not_found(client: ApiClient, method: str, path: str) -> None:
    assert_error(client.request(method, path), ErrorCode.NOT_FOUND)


def test_album_contains_all_ready_photos(client: ApiClient) -> None:
    upload(client)
    register_upload(client)  # Not ready, so not in the album.
    response = client.request("POST", "albums", {"title": "Ürlaub"})
    assert response.status == 202
    album = response.json()
    assert (album["state"], album["pages_done"], album["page_count"], album["url"]) == ("running", 0, 1, None)
    album = finished(client, f"albums/{album['id']}")
    assert (album["title"], album["state"], album["pages_done"]) == ("Ürlaub", "ready", 1)
    pdf = client.fetch(album["url"])
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert len(PdfReader(io.BytesIO(pdf.data), strict=True).pages) == 1


@pytest.mark.parametrize("path", sorted({path_of(route) for route in ROUTES}))
def test_cors_allows_any_origin(url: str, path: str) -> None:
    preflight = {
        "Origin": "http://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
    }
    response = ApiClient(url).request("OPTIONS", path, **preflight)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert {"DELETE", "GET", "POST"} <= set(response.headers["Access-Control-Allow-Methods"].split(","))
    assert {"Content-Type", "X-Api-Key"} <= set(response.headers["Access-Control-Allow-Headers"].split(","))


@pytest.mark.parametrize(("method", "status"), [("POST", 200), ("PUT", 403), ("GET", 403)])
def test_cors_allows_uploads_from_any_origin(client: ApiClient, method: str, status: int) -> None:
    form = register_upload(client)["upload"]
    preflight = {"Origin": "http://page.example", "Access-Control-Request-Method": method}
    assert ApiClient(f"{form['url']}/").request("OPTIONS", "", **preflight).status == status
    assert client.upload(form, PHOTO).headers["Access-Control-Allow-Origin"] == "*"
