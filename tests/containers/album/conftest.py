"""Albums and photos in mocked AWS services, and the environment of a job."""

from pathlib import Path

import pytest

from photos.albums import Album, manifest_key
from tests.lambda_src.conftest import aws as aws
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws, set_environment

PHOTO = (Path(__file__).parents[3] / "samples" / "rocket.jpg").read_bytes()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch)


def put_album(aws: MockedAws, *photos: str, title: str = "Holiday") -> Album:
    """Create an album as the API does."""
    album = Album("a-1", title, "2026-11-24T10:00:00.000Z", photos)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=manifest_key(album.id), Body=album.to_json())
    return album
