"""What the API does, one method for each route of the contract, and how it tells what it did."""

from collections.abc import Mapping
from typing import Any, Final

from api.contract import ErrorCode
from api.requests import Request, RequestError
from photos.album_jobs import AlbumState
from photos.album_requests import AlbumNotFound, AlbumProgress, AlbumRequests, NoPhotos, PhotosNotFound
from photos.catalogue import Item, State
from photos.cursor import InvalidCursor
from photos.keys import filename_of
from photos.library import Library, PhotoNotFound
from photos.presigned_urls import PresignedUrls
from photos.timestamps import format_utc

Answer = dict[str, Any] | None

_CODES: Final[Mapping[type[Exception], ErrorCode]] = {
    InvalidCursor: ErrorCode.INVALID_REQUEST,
    NoPhotos: ErrorCode.NO_PHOTOS,
    AlbumNotFound: ErrorCode.NOT_FOUND,
    PhotoNotFound: ErrorCode.NOT_FOUND,
    PhotosNotFound: ErrorCode.UNKNOWN_PHOTOS,
}


class Operations:
    """The operations of the contract by their names."""

    def __init__(self, library: Library, albums: AlbumRequests, links: PresignedUrls) -> None:
        self._library = library
        self._albums = albums
        self._links = links
        self._by_name = {
            "health": self._health,
            "register_photo": self._register_photo,
            "list_photos": self._list_photos,
            "get_photo": self._get_photo,
            "delete_photo": self._delete_photo,
            "create_album": self._create_album,
            "get_album": self._get_album,
        }

    def run(self, request: Request) -> Answer:
        """Do what is asked for. Returns the answer's body, as JSON has it. Raises RequestError."""
        try:
            return self._by_name[request.route.name](request)
        except tuple(_CODES) as error:
            raise RequestError(_CODES[type(error)], str(error)) from error

    def _health(self, _request: Request) -> Answer:
        return {"status": "ok"}

    def _register_photo(self, request: Request) -> Answer:
        item = self._library.register(request.body["filename"])
        form = self._links.upload_form(item.key, content_type=request.body["content_type"], size=request.body["size"])
        return {"photo": self._photo(item), "upload": form}

    def _list_photos(self, request: Request) -> Answer:
        items, next_cursor = self._library.page(request.query["limit"], request.query.get("cursor"))
        return {"photos": [self._photo(item) for item in items], "next_cursor": next_cursor}

    def _get_photo(self, request: Request) -> Answer:
        return self._photo(self._library.get(request.id))

    def _delete_photo(self, request: Request) -> Answer:
        self._library.delete(request.id)
        return None

    def _create_album(self, request: Request) -> Answer:
        return self._album(self._albums.create(request.body["title"], request.body.get("photos")))

    def _get_album(self, request: Request) -> Answer:
        return self._album(self._albums.get(request.id))

    def _photo(self, item: Item) -> dict[str, Any]:
        rejection = {"code": item.code, "reason": item.reason} if item.state is State.REJECTED else {}
        return {
            "id": item.id,
            "filename": filename_of(item.key),
            "state": item.state,
            "created_at": format_utc(item.created_at),
            "thumbnails": {str(size): self._links.thumbnail(key) for size, key in item.thumbnails.items()},
            **rejection,
        }

    def _album(self, ordered: AlbumProgress) -> dict[str, Any]:
        album = ordered.album
        return {
            "id": album.id,
            "title": album.title,
            "created_at": album.created_at,
            "state": ordered.state,
            "pages_done": ordered.pages_done,
            "page_count": album.page_count,
            "url": self._links.album(album) if ordered.state is AlbumState.READY else None,
            **({"reason": ordered.reason} if ordered.reason else {}),
        }
