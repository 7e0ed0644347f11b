"""Albums: contact sheets of photos, combined into one PDF. The API, which submits them, and the jobs share this module.

All objects of an album are in the thumbnails bucket under `albums/<id>/`. The API writes the manifest and the ids of
the jobs, each child of the array job writes one page, and the dependent job writes `album.pdf`.
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
    """The album is invalid. The message is one line with the field and the value."""


@dataclass(frozen=True)
class Album:
    """The contents of an album, fixed when it is created.

    Attributes:
        id: Opaque, URL-safe.
        created_at: UTC, ISO 8601.
        photos: Object keys of the originals, in the order of the album.
        photos_per_page: Stored in the manifest, so that a new default does not change existing albums.

    Raises:
        InvalidAlbum: A field is outside its limits.
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
        """Number of pages, which is the size of the array job."""
        return -(-len(self.photos) // self.photos_per_page)

    def page(self, index: int) -> tuple[str, ...]:
        """Return the object keys of the photos on a page, counted from 0. Raises IndexError."""
        if not 0 <= index < self.page_count:
            raise IndexError(f"Album {self.id} has {self.page_count} pages, so page index {index} does not exist")
        start = index * self.photos_per_page
        return self.photos[start : start + self.photos_per_page]

    def to_json(self) -> bytes:
        """Return the manifest."""
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
        """Return the album that a manifest describes. Raises InvalidAlbum."""
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
            raise InvalidAlbum(f"The manifest is not valid ({error!r})") from error
        if page_count != album.page_count:
            raise InvalidAlbum(
                f"Album {album.id} page_count: expected {album.page_count} for its photos, but received {page_count}"
            )
        return album


def manifest_key(album_id: str) -> str:
    """Return the object key of the manifest."""
    return f"{PREFIX}{album_id}/manifest.json"


def jobs_key(album_id: str) -> str:
    """Return the object key of the file with the ids of the jobs."""
    return f"{PREFIX}{album_id}/jobs.json"


def page_key(album_id: str, index: int) -> str:
    """Return the object key of a page, counted from 0 like the children of the array job."""
    return f"{PREFIX}{album_id}/pages/{index:04}.jpg"


def pdf_key(album_id: str) -> str:
    """Return the object key of the PDF."""
    return f"{PREFIX}{album_id}/album.pdf"
