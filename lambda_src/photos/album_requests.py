"""Orders of albums: which photos an album is made of is fixed when it is ordered; then one can ask how far it is."""

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
from photos.listing import Listing
from photos.timestamps import format_utc

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOOKUPS_AT_ONCE: Final = 8  # less than the client has connections
_MOST_NAMED: Final = 10


class AlbumNotFound(LookupError):
    """No album has this id. The message is a sentence for people."""

    def __init__(self) -> None:
        super().__init__("No album has this id.")


class PhotosNotFound(LookupError):
    """Some of the photos asked for are not there. The message is a sentence for people that names them."""

    def __init__(self, ids: Sequence[str]) -> None:
        others = f" and {len(ids) - _MOST_NAMED} others" if len(ids) > _MOST_NAMED else ""
        super().__init__(f"No photo has the id {', '.join(ids[:_MOST_NAMED])}{others}.")


class NoPhotos(LookupError):
    """There is nothing to make an album of. The message is a sentence for people."""

    def __init__(self) -> None:
        super().__init__("There are no photos that are ready.")


@dataclass(frozen=True)
class AlbumProgress:
    """An album and how far it is.

    pages_done: how many of the album's pages are made
    reason: if failed, a sentence for people
    """

    album: Album
    state: AlbumState
    pages_done: int
    reason: str = ""


class AlbumRequests:
    """Takes orders, and tells what became of them. `bucket`: of thumbnails, where albums are"""

    def __init__(self, listing: Listing, jobs: AlbumJobs, s3: S3Client, bucket: str) -> None:
        self._listing = listing
        self._jobs = jobs
        self._s3 = s3
        self._bucket = bucket

    def create(self, title: str, photo_ids: Sequence[str] | None = None) -> AlbumProgress:
        """Have an album made of these photos, or of all that are ready. Raises PhotosNotFound, NoPhotos."""
        keys = self._newest_ready() if photo_ids is None else self._keys(photo_ids)
        album = Album(
            id=secrets.token_hex(16), title=title, created_at=format_utc(datetime.now(UTC)), photos=tuple(keys)
        )
        self._jobs.submit(album)
        return AlbumProgress(album, AlbumState.RUNNING, pages_done=0)

    def get(self, album_id: str) -> AlbumProgress:
        """The album of this id. Raises AlbumNotFound."""
        there = self._names(album_id)
        if manifest_key(album_id) not in there:
            raise AlbumNotFound
        with closing(self._s3.get_object(Bucket=self._bucket, Key=manifest_key(album_id))["Body"]) as body:
            album = Album.from_json(body.read())
        if pdf_key(album_id) in there:
            return AlbumProgress(album, AlbumState.READY, pages_done=album.page_count)
        if jobs_key(album_id) not in there:
            return AlbumProgress(album, AlbumState.FAILED, pages_done=0, reason="It was not begun.")
        state, reason = self._jobs.outcome(album_id)
        pages_done = sum(page_key(album_id, index) in there for index in range(album.page_count))
        if state is AlbumState.READY:  # since we looked
            pages_done = album.page_count
        return AlbumProgress(album, state, pages_done, reason)

    def _newest_ready(self) -> list[str]:
        items = self._listing.ready(MAX_PHOTOS)
        if not items:
            raise NoPhotos
        return [item.key for item in items]

    def _keys(self, photo_ids: Sequence[str]) -> list[str]:
        # One query each: DynamoDB answers many keys at once of tables only, not of indexes.
        with ThreadPoolExecutor(_LOOKUPS_AT_ONCE) as lookups:
            items = list(lookups.map(self._listing.find, photo_ids))
        unknown = [photo_id for photo_id, item in zip(photo_ids, items, strict=True) if item is None]
        if unknown:
            raise PhotosNotFound(unknown)
        return [item.key for item in items if item]

    def _names(self, album_id: str) -> set[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{PREFIX}{album_id}/")
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}
