"""Albums: contact sheets of photos, bound to one PDF. Shared by the API, which orders one, and the jobs, which make it.

Everything of an album is in the bucket of thumbnails, under `albums/<id>/`: the manifest and the ids of its jobs,
which whoever asks for the album writes; the pages, one by each child of the array job; and `album.pdf`, by the job
after it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from photos.keys import photo_id

PREFIX: Final = "albums/"
PHOTOS_PER_PAGE: Final = 12
MAX_PHOTOS: Final = 1200  # 100 pages: a PDF of about 30 MB
MAX_TITLE: Final = 200  # characters


class InvalidAlbum(ValueError):
    """No album can be made of this. The message is one line that says why."""


@dataclass(frozen=True)
class Album:
    """What an album is made of, fixed when it is asked for.

    id: opaque, URL-safe
    created_at: UTC, ISO 8601
    photos: object keys of the originals, in the order of the album
    photos_per_page: said in the manifest, so that a change of the default splits no album in two ways
    Raises InvalidAlbum.
    """

    id: str
    title: str
    created_at: str
    photos: tuple[str, ...]
    photos_per_page: int = PHOTOS_PER_PAGE

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.id):
            raise InvalidAlbum(f"Album id: expected 1 to 64 letters, digits, - and _, but received {self.id!r}")
        if len(self.title) > MAX_TITLE:
            raise InvalidAlbum(f"Album title: expected at most {MAX_TITLE} characters, but received {len(self.title)}")
        if not 1 <= len(self.photos) <= MAX_PHOTOS:
            raise InvalidAlbum(f"Album photos: expected 1 to {MAX_PHOTOS}, but received {len(self.photos)}")
        if not 1 <= self.photos_per_page <= 30:
            raise InvalidAlbum(f"Album photos_per_page: expected 1 to 30, but received {self.photos_per_page}")

    @property
    def page_count(self) -> int:
        """How many pages the photos fill: the size of the array job."""
        return -(-len(self.photos) // self.photos_per_page)

    def page(self, index: int) -> tuple[str, ...]:
        """The object keys of the photos on a page, counted from 0. Raises IndexError."""
        if not 0 <= index < self.page_count:
            raise IndexError(f"Album {self.id} has {self.page_count} pages; there is no page of index {index}")
        start = index * self.photos_per_page
        return self.photos[start : start + self.photos_per_page]

    def to_json(self) -> bytes:
        """The manifest."""
        manifest = {
            "id": self.id,
            "title": self.title,
            "created_at": self.created_at,
            "photos": [{"id": photo_id(key), "key": key} for key in self.photos],
            "photos_per_page": self.photos_per_page,
            "page_count": self.page_count,
        }
        return json.dumps(manifest, indent=1).encode()

    @classmethod
    def from_json(cls, manifest: bytes) -> "Album":
        """The album of a manifest. Raises InvalidAlbum."""
        try:
            given: Mapping[str, Any] = json.loads(manifest)
            album = cls(
                id=str(given["id"]),
                title=str(given["title"]),
                created_at=str(given["created_at"]),
                photos=tuple(str(photo["key"]) for photo in given["photos"]),
                photos_per_page=int(given["photos_per_page"]),
            )
            page_count = given["page_count"]
        except InvalidAlbum:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidAlbum(f"This is not the manifest of an album ({error!r})") from error
        if page_count != album.page_count:
            raise InvalidAlbum(
                f"Album {album.id} says it has {page_count} pages, but its photos fill {album.page_count}"
            )
        return album


def manifest_key(album_id: str) -> str:
    """Where the manifest is."""
    return f"{PREFIX}{album_id}/manifest.json"


def jobs_key(album_id: str) -> str:
    """Where the ids of its jobs are."""
    return f"{PREFIX}{album_id}/jobs.json"


def page_key(album_id: str, index: int) -> str:
    """Where a page is, counted from 0 as the array job does."""
    return f"{PREFIX}{album_id}/pages/{index:04}.jpg"


def pdf_key(album_id: str) -> str:
    """Where the album itself is."""
    return f"{PREFIX}{album_id}/album.pdf"
