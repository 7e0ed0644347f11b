"""Album requests: create an album, which submits its jobs, and report its progress, which clients poll."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from photos.album_jobs import AlbumJobs, AlbumState
from photos.albums import MAX_PHOTOS, PREFIX, Album, jobs_key, manifest_key, page_key, pdf_key
from photos.keys import remove_unprintable
from photos.listing import Listing
from photos.timestamps import format_utc

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PARALLEL_QUERIES: Final = 8  # fewer than the connection pool of the client
_MAX_IDS_IN_MESSAGE: Final = 10


class AlbumNotFound(LookupError):
    """No album has this id. The message is a sentence to display."""

    def __init__(self) -> None:
        super().__init__("No album has this id.")


class PhotosNotFound(LookupError):
    """Some of the requested photos do not exist. The message is a sentence to display that lists their ids."""

    def __init__(self, ids: Sequence[str]) -> None:
        listed = ", ".join(ids[:_MAX_IDS_IN_MESSAGE])
        others = f" and {len(ids) - _MAX_IDS_IN_MESSAGE} others" if len(ids) > _MAX_IDS_IN_MESSAGE else ""
        super().__init__(f"These photos do not exist: {listed}{others}.")


class NoPhotos(LookupError):
    """There are no photos for an album. The message is a sentence to display."""

    def __init__(self) -> None:
        super().__init__("No photo is ready. Upload photos, or try again when their thumbnails exist.")


@dataclass(frozen=True)
class AlbumProgress:
    """An album and its progress.

    Attributes:
        pages_done: Number of pages that exist.
        reason: If the album failed, a sentence to display.
    """

    album: Album
    state: AlbumState
    pages_done: int
    reason: str = ""


class AlbumRequests:
    """Creates albums and reports their progress.

    Args:
        listing: Finds the photos.
        jobs: Creates the albums.
        s3: Client of Amazon S3.
        bucket: The thumbnails bucket, which contains the albums.
    """

    def __init__(self, listing: Listing, jobs: AlbumJobs, s3: S3Client, bucket: str) -> None:
        self._listing = listing
        self._jobs = jobs
        self._s3 = s3
        self._bucket = bucket

    def create(self, title: str, photo_ids: Sequence[str] | None = None) -> AlbumProgress:
        """Submit an album of these photos, or by default of all photos that are ready.

        Unprintable characters are removed from the title.

        Raises:
            PhotosNotFound: Some of the photos do not exist.
            NoPhotos: No photo is ready.
        """
        keys = self._newest_ready() if photo_ids is None else self._keys(photo_ids)
        created_at = format_utc(datetime.now(UTC))
        album = Album(
            id=secrets.token_hex(16), title=remove_unprintable(title), created_at=created_at, photos=tuple(keys)
        )
        self._jobs.submit(album)
        return AlbumProgress(album, AlbumState.RUNNING, pages_done=0)

    def get(self, album_id: str) -> AlbumProgress:
        """Return the album with this id. Raises AlbumNotFound."""
        objects = self._objects(album_id)
        if manifest_key(album_id) not in objects:
            raise AlbumNotFound
        with closing(self._s3.get_object(Bucket=self._bucket, Key=manifest_key(album_id))["Body"]) as body:
            album = Album.from_json(body.read())
        if pdf_key(album_id) in objects:
            return AlbumProgress(album, AlbumState.READY, pages_done=album.page_count)
        if jobs_key(album_id) not in objects:
            return AlbumProgress(album, AlbumState.FAILED, pages_done=0, reason="The jobs were not submitted.")
        state, reason = self._jobs.outcome(album_id)
        pages_done = sum(page_key(album_id, index) in objects for index in range(album.page_count))
        if state is AlbumState.READY:  # completed after the objects were listed
            pages_done = album.page_count
        return AlbumProgress(album, state, pages_done, reason)

    def _newest_ready(self) -> list[str]:
        items = self._listing.newest_ready(MAX_PHOTOS)
        if not items:
            raise NoPhotos
        return [item.key for item in items]

    def _keys(self, photo_ids: Sequence[str]) -> list[str]:
        # One query per photo: BatchGetItem reads tables, not indexes.
        with ThreadPoolExecutor(_PARALLEL_QUERIES) as queries:
            keys = list(queries.map(self._listing.find_key, photo_ids))
        unknown = [photo_id for photo_id, key in zip(photo_ids, keys, strict=True) if key is None]
        if unknown:
            raise PhotosNotFound(unknown)
        return [key for key in keys if key is not None]

    def _objects(self, album_id: str) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{PREFIX}{album_id}/")
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}
