"""The albums in the bucket of thumbnails: manifest in, pages out and in again, PDF out."""

from __future__ import annotations

from contextlib import closing
from typing import IO, TYPE_CHECKING

from photos.albums import Album, manifest_key, page_key, pdf_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ObjectNotFound(Exception):
    """What has to be there before this job runs is not. The message names it."""


class AlbumStore:
    """Where everything of an album is kept."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def album(self, album_id: str) -> Album:
        """The album as it was asked for. Raises ObjectNotFound, InvalidAlbum."""
        return Album.from_json(self._read(manifest_key(album_id)))

    def write_page(self, album: Album, index: int, jpeg: bytes) -> None:
        """Store a page, in place of an earlier run's."""
        self._s3.put_object(Bucket=self._bucket, Key=page_key(album.id, index), Body=jpeg, ContentType="image/jpeg")

    def page(self, album: Album, index: int) -> bytes:
        """A page as JPEG. Raises ObjectNotFound."""
        return self._read(page_key(album.id, index))

    def write_pdf(self, album: Album, pdf: IO[bytes]) -> None:
        """Store the bound album, read from this file."""
        self._s3.put_object(Bucket=self._bucket, Key=pdf_key(album.id), Body=pdf, ContentType="application/pdf")

    def _read(self, key: str) -> bytes:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey as error:
            raise ObjectNotFound(f"{key} is not in the bucket {self._bucket}") from error
        with closing(answer["Body"]) as body:
            return body.read()
