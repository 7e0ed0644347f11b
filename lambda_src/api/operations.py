"""The operations of the API: one method per route of the contract."""

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

ResponseBody = dict[str, Any] | None

_CODES: Final[Mapping[type[Exception], ErrorCode]] = {
    InvalidCursor: ErrorCode.INVALID_REQUEST,
    NoPhotos: ErrorCode.NO_PHOTOS,
    AlbumNotFound: ErrorCode.NOT_FOUND,
    PhotoNotFound: ErrorCode.NOT_FOUND,
    PhotosNotFound: ErrorCode.UNKNOWN_PHOTOS,
}


class Operations:
    """Runs the operation that a request names."""

    def __init__(self, library: Library, albums: AlbumRequests, urls: PresignedUrls) -> None:
        self._library = library
        self._albums = albums
        self._urls = urls
        self._by_name = {
            "health": self._health,
            "register_photo": self._register_photo,
            "list_photos": self._list_photos,
            "get_photo": self._get_photo,
            "delete_photo": self._delete_photo,
            "create_album": self._create_album,
            "get_album": self._get_album,
        }

    def run(self, request: Request) -> ResponseBody:
        """Run an operation and return the body of its response.

        Raises:
            RequestError: The operation failed because of the request.
        """
        try:
            return self._by_name[request.route.name](request)
        except tuple(_CODES) as error:
            raise RequestError(_CODES[type(error)], str(error)) from error

    def _health(self, _request: Request) -> ResponseBody:
        return {"status": "ok"}

    def _register_photo(self, request: Request) -> ResponseBody:
        item = self._library.register(request.body["filename"])
        form = self._urls.presigned_post(item.key, content_type=request.body["content_type"], size=request.body["size"])
        return {"photo": self._photo(item), "upload": form}

    def _list_photos(self, request: Request) -> ResponseBody:
        items, next_cursor = self._library.page(request.query["limit"], request.query.get("cursor"))
        return {"photos": [self._photo(item) for item in items], "next_cursor": next_cursor}

    def _get_photo(self, request: Request) -> ResponseBody:
        return self._photo(self._library.get(request.id))

    def _delete_photo(self, request: Request) -> ResponseBody:
        self._library.delete(request.id)
        return None

    def _create_album(self, request: Request) -> ResponseBody:
        return self._album(self._albums.create(request.body["title"], request.body.get("photos")))

    def _get_album(self, request: Request) -> ResponseBody:
        return self._album(self._albums.get(request.id))

    def _photo(self, item: Item) -> dict[str, Any]:
        rejection = {"code": item.code, "reason": item.reason} if item.state is State.REJECTED else {}
        return {
            "id": item.id,
            "filename": filename_of(item.key),
            "state": item.state,
            "created_at": format_utc(item.created_at),
            "thumbnails": {str(size): self._urls.thumbnail(key) for size, key in item.thumbnails.items()},
            **rejection,
        }

    def _album(self, progress: AlbumProgress) -> dict[str, Any]:
        album = progress.album
        return {
            "id": album.id,
            "title": album.title,
            "created_at": album.created_at,
            "state": progress.state,
            "pages_done": progress.pages_done,
            "page_count": album.page_count,
            "url": self._urls.album(album) if progress.state is AlbumState.READY else None,
            **({"reason": progress.reason} if progress.reason else {}),
        }
