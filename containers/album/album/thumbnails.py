"""Reads the largest thumbnail of a photo, or the reason why there is none."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photos.catalogue import Catalogue, State

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class MissingThumbnail:
    """A photo has no thumbnail.

    Attributes:
        reason: A sentence for the reader of the album.
    """

    reason: str


class ThumbnailReader:
    """Reads the thumbnails that the catalogue names."""

    def __init__(self, catalogue: Catalogue, s3: S3Client, bucket: str) -> None:
        self._catalogue = catalogue
        self._s3 = s3
        self._bucket = bucket

    def read(self, key: str) -> bytes | MissingThumbnail:
        """Return the largest thumbnail of the photo with this object key."""
        item = self._catalogue.get(key)
        if item is None:
            return MissingThumbnail("This photo has been deleted.")
        if item.state is State.REJECTED:
            return MissingThumbnail(item.reason)
        if item.state is not State.READY:
            return MissingThumbnail("This photo has not been uploaded yet.")
        return self._read_object(item.thumbnails[max(item.thumbnails)])

    def _read_object(self, key: str) -> bytes | MissingThumbnail:
        try:
            response = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return MissingThumbnail("The thumbnail of this photo no longer exists.")
        with closing(response["Body"]) as body:
            return body.read()
