"""Signed links: what they allow is exactly one thing."""

import base64
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from photos.albums import Album
from photos.presigned_urls import PRESIGNING, UPLOAD_FORM_SECONDS, URL_SECONDS, PresignedUrls

THUMBNAIL = "0" * 32 + "/1-e/256.webp"


def links(region: str = "eu-central-1", **more: Any) -> PresignedUrls:
    s3 = boto3.client("s3", region_name=region, config=PRESIGNING, **more)
    return PresignedUrls(s3, originals="originals", thumbnails="thumbnails")


def policy(key: str) -> tuple[dict[str, str], list[Any]]:
    """The fields of a form, and the conditions that S3 will hold them and the file against."""
    form = links().upload_form(key, content_type="image/png", size=12_345)
    conditions: list[Any] = json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]
    return form["fields"], conditions


@pytest.mark.parametrize("key", ["uploads/0/a.png", "uploads/0/{filename}", "uploads/0/ü b+c.png"])
def test_a_form_is_bound_to_key_type_and_size(key: str) -> None:
    fields, conditions = policy(key)
    assert {"bucket": "originals"} in conditions
    assert {"key": key} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert ["content-length-range", 12_345, 12_345] in conditions
    assert not [
        condition for condition in conditions if isinstance(condition, list) and condition[0] != "content-length-range"
    ]
    assert (fields["key"], fields["Content-Type"]) == (key, "image/png")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_links_lead_to_the_bucket_s_own_regional_name_by_signature_version_4(region: str) -> None:
    form = links(region).upload_form("uploads/0/a.png", content_type="image/png", size=1)
    assert form["url"] == f"https://originals.s3.{region}.amazonaws.com/"
    assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    link = links(region).thumbnail(THUMBNAIL)
    assert link.startswith(
        f"https://thumbnails.s3.{region}.amazonaws.com/{THUMBNAIL}?X-Amz-Algorithm=AWS4-HMAC-SHA256&"
    )


def test_links_of_the_sandbox_lead_there() -> None:
    local = links(endpoint_url="http://127.0.0.1:4566")
    assert local.thumbnail(THUMBNAIL).startswith(f"http://127.0.0.1:4566/thumbnails/{THUMBNAIL}?")
    form = local.upload_form("uploads/0/a.png", content_type="image/png", size=1)
    assert form["url"] == "http://127.0.0.1:4566/originals"


def test_links_end() -> None:
    (expires,) = parse_qs(urlsplit(links().thumbnail(THUMBNAIL)).query)["X-Amz-Expires"]
    assert int(expires) == URL_SECONDS == 3600
    assert UPLOAD_FORM_SECONDS <= 15 * 60


def test_for_a_while_a_thumbnail_has_one_link_so_that_browsers_know_it(monkeypatch: pytest.MonkeyPatch) -> None:
    signing, now = links(), 1_000_000 * 900
    signed = iter(["link 1", "link 2"])
    monkeypatch.setattr(signing._s3, "generate_presigned_url", lambda *_, **__: next(signed))

    def link_after(seconds: int) -> str:
        monkeypatch.setattr(time, "time", lambda: now + seconds)
        return signing.thumbnail(THUMBNAIL)

    assert [link_after(seconds) for seconds in (0, 1, 899, 900)] == ["link 1"] * 3 + ["link 2"]


def test_an_album_is_read_under_its_title() -> None:
    album = Album("a" * 32, 'Été "23"; /..\r\n', "2026-11-24T10:00:00.000Z", ("a.jpg",))
    link = urlsplit(links().album(album))
    assert link.path == f"/albums/{'a' * 32}/album.pdf"
    (disposition,) = parse_qs(link.query)["response-content-disposition"]
    assert re.fullmatch(r"inline; filename\*=UTF-8''[A-Za-z0-9%._-]+", disposition)
    assert disposition.endswith("%C3%89t%C3%A9%20%2223%22%3B%20%2F..%0D%0A.pdf")
