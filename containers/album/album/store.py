"""Stores albums in the thumbnails bucket: reads the manifest, writes and reads pages, writes the PDF."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from photos.albums import Album, manifest_key, page_key, pdf_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ObjectNotFound(Exception):
    """An object that must exist before this job is missing. The message names it."""


class AlbumStore:
    """The objects of albums in a bucket."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def read_album(self, album_id: str) -> Album:
        """Read an album as it was requested.

        Raises:
            ObjectNotFound: The album does not exist.
            InvalidAlbum: The manifest is invalid.
        """
        return Album.from_json(self._read(manifest_key(album_id)))

    def write_page(self, album: Album, index: int, jpeg: bytes) -> None:
        """Store a page, and replace the page of an earlier attempt."""
        self._s3.put_object(Bucket=self._bucket, Key=page_key(album.id, index), Body=jpeg, ContentType="image/jpeg")

    def read_page(self, album: Album, index: int) -> bytes:
        """Read a page as JPEG.

        Raises:
            ObjectNotFound: The page was not made.
        """
        return self._read(page_key(album.id, index))

    def write_pdf(self, album: Album, pdf: bytes) -> None:
        """Store the bound album."""
        self._s3.put_object(Bucket=self._bucket, Key=pdf_key(album.id), Body=pdf, ContentType="application/pdf")

    def _read(self, key: str) -> bytes:
        try:
            response = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey as error:
            raise ObjectNotFound(f"{key} is not in the bucket {self._bucket}") from error
        with closing(response["Body"]) as body:
            return body.read()
