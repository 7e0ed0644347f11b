"""The contract of the API as data: routes, request and response schemas, and errors.

The routes and API key requirements of API Gateway, the validation in the function, and the OpenAPI document are
generated from this module. Request schemas use only keywords that JSON Schema draft 4, which the function reads, and
the current draft, which OpenAPI 3.1 uses, interpret alike. One difference remains: the current draft accepts 1.0 as an
integer, and the API rejects it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from photos.albums import MAX_PHOTOS, MAX_TITLE
from photos.limits import CONTENT_TYPES, MAX_BYTES

Schema = Mapping[str, Any]

MAX_BODY: Final = 128 * 2**10  # bytes; the ids of the largest album need a third of this
MAX_FILENAME: Final = 200  # characters
MAX_PHOTOS_PER_PAGE: Final = 100
ID_PATTERN: Final = "^[0-9a-f]{32}$"  # of photos and albums


class ErrorCode(StrEnum):
    """The error codes of the function and of API Gateway. Clients handle the code and display the message."""

    INVALID_REQUEST = "invalid_request"
    UNKNOWN_PHOTOS = "unknown_photos"
    FORBIDDEN = "forbidden"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    NOT_FOUND = "not_found"
    NO_PHOTOS = "no_photos"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_MANY_REQUESTS = "too_many_requests"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"

    @property
    def status(self) -> int:
        """The HTTP status of the response."""
        return _ERRORS[self][0]

    @property
    def description(self) -> str:
        """When this error is returned."""
        return _ERRORS[self][1]


_ERRORS: Final = {
    ErrorCode.INVALID_REQUEST: (400, "The request does not match its schema; the message describes the error"),
    ErrorCode.UNKNOWN_PHOTOS: (400, "Some photos do not exist; the message lists their ids"),
    ErrorCode.FORBIDDEN: (403, "The API key is missing or not valid"),
    ErrorCode.ADDRESS_NOT_ALLOWED: (403, "The source address is outside `allowed_cidr`"),
    ErrorCode.NOT_FOUND: (404, "No photo or album has this id"),
    ErrorCode.NO_PHOTOS: (409, "No photo is ready"),
    ErrorCode.TOO_LARGE: (413, f"The body exceeds {MAX_BODY >> 10} KiB"),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: (415, "The content type is not application/json"),
    ErrorCode.TOO_MANY_REQUESTS: (429, "The request rate or the daily quota of the API key is exceeded"),
    ErrorCode.INTERNAL_ERROR: (500, "An internal error occurred; you can try again"),
    ErrorCode.UNAVAILABLE: (504, "The service did not respond in time; you can try again"),
}


def error_body(code: ErrorCode, message: str) -> dict[str, dict[str, str]]:
    """Return the body of an error response."""
    return {"error": {"code": code.value, "message": message}}


def _object(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    if required:  # draft 4 does not allow an empty list
        more["required"] = required
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


_ID: Final = _text("Opaque", pattern=ID_PATTERN)
_TIME: Final = _text("UTC", format="date-time")
_URL: Final = {"type": "string", "format": "uri"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


REQUESTS: Final[Mapping[str, Schema]] = {
    "NewPhoto": _object(
        {
            "filename": _text(
                "Name of the file, without folders. Unprintable characters are removed",
                minLength=1,
                maxLength=MAX_FILENAME,
            ),
            "content_type": _text("Content type of the file", enum=list(CONTENT_TYPES)),
            "size": {
                "type": "integer",
                "description": "Exact size of the file in bytes",
                "minimum": 1,
                "maximum": MAX_BYTES,
            },
        }
    ),
    "NewAlbum": _object(
        {
            "title": _text(
                "Printed on each page of the album. Unprintable characters are removed",
                maxLength=MAX_TITLE,
                default="Album",
            ),
            "photos": {
                "type": "array",
                "description": "Ids of the photos, in the order of the album. "
                f"Default: all photos that are ready, newest first, at most {MAX_PHOTOS}",
                "items": _ID,
                "minItems": 1,
                "maxItems": MAX_PHOTOS,
                "uniqueItems": True,
            },
        },
        optional=("title", "photos"),
    ),
}

RESPONSES: Final[Mapping[str, Schema]] = {
    "Health": _object({"status": {"type": "string", "enum": ["ok"]}}),
    "Photo": _object(
        {
            "id": _ID,
            "filename": _text("The last part of the object key"),
            "state": _text("`pending`: not processed yet, or not uploaded yet", enum=["pending", "ready", "rejected"]),
            "created_at": _TIME,
            "thumbnails": {
                "type": "object",
                "description": "If ready: presigned URLs of the WebP thumbnails, by size in pixels (the side of the "
                "square that the thumbnail fits). They expire after an hour or less",
                "additionalProperties": _URL,
            },
            "code": _text("If rejected: an error code"),
            "reason": _text("If rejected: the reason, as a sentence to display"),
        },
        optional=("code", "reason"),
    ),
    "PhotoPage": _object(
        {
            "photos": {"type": "array", "items": _ref("Photo"), "maxItems": MAX_PHOTOS_PER_PAGE},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Cursor of the next page; null after the last photo",
            },
        }
    ),
    "RegisteredPhoto": _object(
        {
            "photo": _ref("Photo"),
            "upload": _object(
                {"url": _URL, "fields": {"type": "object", "additionalProperties": {"type": "string"}}},
                description="A presigned POST. Send all `fields` and then the photo as `file` to `url`, as "
                "multipart/form-data. It accepts files of exactly the registered type and size, and expires after five "
                "minutes",
            ),
        }
    ),
    "Album": _object(
        {
            "id": _ID,
            "title": {"type": "string"},
            "created_at": _TIME,
            "state": {"type": "string", "enum": ["running", "ready", "failed"]},
            "pages_done": {"type": "integer", "minimum": 0},
            "page_count": {"type": "integer", "minimum": 1},
            "url": {
                "type": ["string", "null"],
                "format": "uri",
                "description": "If ready: presigned URL of the PDF. It expires after an hour or less",
            },
            "reason": _text("If failed: the reason, as a sentence to display"),
        },
        optional=("reason",),
    ),
    "Error": _object(
        {
            "error": _object(
                {
                    "code": _text("A stable error code", enum=[code.value for code in ErrorCode]),
                    "message": _text("A sentence to display"),
                }
            )
        }
    ),
}


@dataclass(frozen=True)
class Route:
    """A route of the API.

    Attributes:
        name: Name of the operation, which is its `operationId`.
        path: An `{id}` in the path is the id of a photo or an album.
        status: HTTP status of a successful response.
        response: Name of the response schema in RESPONSES. If None, the response has no body.
        needs_key: Whether API Gateway requires an API key.
        body: Name of the schema of the request body in REQUESTS.
        query: Schema of the query parameters, all of them optional.
        errors: Errors of this route in addition to COMMON_ERRORS.
    """

    name: str
    method: str
    path: str
    summary: str
    status: int
    response: str | None
    needs_key: bool = False
    body: str | None = None
    query: Schema | None = None
    errors: tuple[ErrorCode, ...] = ()


# Errors of every route.
COMMON_ERRORS: Final = (
    ErrorCode.INVALID_REQUEST,
    ErrorCode.FORBIDDEN,
    ErrorCode.ADDRESS_NOT_ALLOWED,
    ErrorCode.TOO_MANY_REQUESTS,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.UNAVAILABLE,
)
_BODY_ERRORS: Final = (ErrorCode.TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE)

ROUTES: Final = (
    Route("health", "GET", "/health", "Check that the API responds", 200, "Health"),
    Route(
        "register_photo",
        "POST",
        "/photos",
        "Register a photo and get a presigned POST for its upload",
        201,
        "RegisteredPhoto",
        needs_key=True,
        body="NewPhoto",
        errors=_BODY_ERRORS,
    ),
    Route(
        "list_photos",
        "GET",
        "/photos",
        "List photos, newest first",
        200,
        "PhotoPage",
        query=_object(
            {
                "limit": {
                    "type": "integer",
                    "description": "Maximum number of photos to return",
                    "minimum": 1,
                    "maximum": MAX_PHOTOS_PER_PAGE,
                    "default": 50,
                },
                "cursor": _text("The `next_cursor` of the previous page", minLength=1, maxLength=2000),
            },
            optional=("limit", "cursor"),
        ),
    ),
    Route(
        "get_photo",
        "GET",
        "/photos/{id}",
        "Get a photo. A photo that was registered moments ago may not be found yet",
        200,
        "Photo",
        errors=(ErrorCode.NOT_FOUND,),
    ),
    Route(
        "delete_photo",
        "DELETE",
        "/photos/{id}",
        "Delete a photo. Its thumbnails and its entry in the list are removed shortly afterwards",
        204,
        None,
        needs_key=True,
        errors=(ErrorCode.NOT_FOUND,),
    ),
    Route(
        "create_album",
        "POST",
        "/albums",
        "Create an album: a PDF of contact sheets",
        202,
        "Album",
        needs_key=True,
        body="NewAlbum",
        errors=(ErrorCode.UNKNOWN_PHOTOS, ErrorCode.NO_PHOTOS, *_BODY_ERRORS),
    ),
    Route(
        "get_album",
        "GET",
        "/albums/{id}",
        "Get the progress of an album and the URL of its PDF",
        200,
        "Album",
        errors=(ErrorCode.NOT_FOUND,),
    ),
)
