"""Presigned URLs and forms allow exactly one operation."""

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from photos.albums import Album
from photos.presigned_urls import PRESIGNING, PresignedUrls

THUMBNAIL = "0" * 32 + "/1-e/256.webp"


def urls(region: str = "eu-central-1") -> PresignedUrls:
    s3 = boto3.client("s3", region_name=region, config=PRESIGNING)
    return PresignedUrls(s3, originals="originals", thumbnails="thumbnails")


@pytest.mark.parametrize("key", ["uploads/0/a.png", "uploads/0/{filename}", "uploads/0/ü b+c.png"])
def test_presigned_post_is_bound_to_key_type_and_size(key: str) -> None:
    fields = urls().presigned_post(key, content_type="image/png", size=12_345)["fields"]
    conditions: list[Any] = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert all(it in conditions for it in ({"bucket": "originals"}, {"key": key}, {"Content-Type": "image/png"}))
    assert [it for it in conditions if isinstance(it, list)] == [["content-length-range", 12_345, 12_345]]
    assert (fields["key"], fields["Content-Type"]) == (key, "image/png")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_urls_use_the_regional_endpoint_and_signature_version_4(region: str) -> None:
    form = urls(region).presigned_post("uploads/0/a.png", content_type="image/png", size=1)
    assert form["url"] == f"https://originals.s3.{region}.amazonaws.com/"
    assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    expires = datetime.fromisoformat(json.loads(base64.b64decode(form["fields"]["policy"]))["expiration"])
    assert timedelta(minutes=4) < expires - datetime.now(UTC) <= timedelta(minutes=5)
    url = urls(region).thumbnail(THUMBNAIL)
    assert url.startswith(f"https://thumbnails.s3.{region}.amazonaws.com/{THUMBNAIL}?X-Amz-Algorithm=AWS4-HMAC-SHA256&")
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["3600"]


def test_thumbnail_keeps_its_url_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    presigned, now = urls(), 1_000_000 * 900
    results = iter(["URL 1", "URL 2"])
    monkeypatch.setattr(presigned._s3, "generate_presigned_url", lambda *_, **__: next(results))

    def url_after(seconds: int) -> str:
        monkeypatch.setattr(time, "time", lambda: now + seconds)
        return presigned.thumbnail(THUMBNAIL)

    assert [url_after(seconds) for seconds in (0, 1, 899, 900)] == ["URL 1"] * 3 + ["URL 2"]


def test_album_is_named_after_its_title() -> None:
    album = Album("a" * 32, 'Été "23"; /..\r\n', "2026-11-24T10:00:00.000Z", ("a.jpg",))
    url = urlsplit(urls().album(album))
    assert url.path == f"/albums/{'a' * 32}/album.pdf"
    (disposition,) = parse_qs(url.query)["response-content-disposition"]
    assert re.fullmatch(r"inline; filename\*=UTF-8''[A-Za-z0-9%._-]+", disposition)
    assert disposition.endswith("%C3%89t%C3%A9%20%2223%22%3B%20%2F..%0D%0A.pdf")
