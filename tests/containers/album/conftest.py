"""Albums and photos in mocked AWS services."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from photos.albums import Album, manifest_key
from photos.imaging import make_thumbnails
from photos.keys import photo_id
from photos.limits import SIZES
from tests.lambda_src.mocked_aws import CATALOGUE, THUMBNAILS, MockedAws

PHOTO = (Path(__file__).parents[3] / "samples" / "rocket.jpg").read_bytes()


@dataclass
class MockedAlbum(MockedAws):
    """Mocked AWS services, with functions that create albums and photos."""

    def put_ready(self, key: str, thumbnail: bytes | None) -> None:
        """Create a photo with this thumbnail, or with one that does not exist."""
        path = f"thumbnail of {key}"
        if thumbnail is not None:
            self.s3.put_object(Bucket=THUMBNAILS, Key=path, Body=thumbnail)
        paths = {size: path if size == max(SIZES) else "a smaller one" for size in SIZES}
        self.put_item(key, "ready", thumbnails={"M": {str(size): {"S": it} for size, it in paths.items()}})

    def put_item(self, key: str, state: str, **attributes: dict[str, object]) -> None:
        """Create an item of the catalogue."""
        texts = {"key": key, "id": photo_id(key), "state": state, "created_at": "2026-11-24T10:00:00.000Z"}
        item: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
        self.dynamodb.put_item(TableName=CATALOGUE, Item=item | attributes)

    def put_album(self, *photos: str, title: str = "Holiday") -> Album:
        """Create an album as the API does."""
        album = Album("a-1", title, "2026-11-24T10:00:00.000Z", photos)
        self.s3.put_object(Bucket=THUMBNAILS, Key=manifest_key(album.id), Body=album.to_json())
        return album


@pytest.fixture(scope="session")
def thumbnail() -> bytes:
    return make_thumbnails(PHOTO)[max(SIZES)]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockedAlbum]:
    monkeypatch.setenv("THUMBNAILS_BUCKET", THUMBNAILS)
    monkeypatch.setenv("CATALOGUE_TABLE", CATALOGUE)
    with mock_aws():
        s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        s3.create_bucket(Bucket=THUMBNAILS)
        dynamodb.create_table(
            TableName=CATALOGUE,
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield MockedAlbum(s3, dynamodb)
