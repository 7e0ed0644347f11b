"""The contract of the API: its routes, what they take and what they answer. Data only.

The gateway's models and keys, the function's own checks and the OpenAPI document are all made from this page.
What schemas of requests say, they say in words that draft 4 of JSON Schema, which API Gateway reads, and the newest
one, which OpenAPI 3.1 reads, understand alike; but 1.0 is an integer to the newest alone, and is refused here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from photos.albums import MAX_PHOTOS, MAX_TITLE
from photos.limits import CONTENT_TYPES, MAX_BYTES, SIZES

Schema = Mapping[str, Any]

MAX_BODY: Final = 128 * 2**10  # bytes: the ids of the largest album take a third
MAX_FILENAME: Final = 200  # characters
MAX_PHOTOS_PER_PAGE: Final = 100
ID_PATTERN: Final = "^[0-9a-f]{32}$"  # of photos and albums


class ErrorCode(StrEnum):
    """What programs read of an error; people read its message. Those of the gateway are among them."""

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
        """The HTTP status that goes with it."""
        return _ERRORS[self][0]

    @property
    def description(self) -> str:
        """When it is answered."""
        return _ERRORS[self][1]


_ERRORS: Final = {
    ErrorCode.INVALID_REQUEST: (400, "Something in the request is not as described here; the message says what"),
    ErrorCode.UNKNOWN_PHOTOS: (400, "Some of the photos are not there; the message names them"),
    ErrorCode.FORBIDDEN: (403, "The API key that this needs is missing or wrong"),
    ErrorCode.ADDRESS_NOT_ALLOWED: (403, "The API is not open to this address"),
    ErrorCode.NOT_FOUND: (404, "Nothing has this id"),
    ErrorCode.NO_PHOTOS: (409, "There are no photos that are ready"),
    ErrorCode.TOO_LARGE: (413, f"The body has more than {MAX_BODY >> 10} KiB"),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: (415, "The body is not application/json"),
    ErrorCode.TOO_MANY_REQUESTS: (429, "Too many requests at once, or more than this API key may make in a day"),
    ErrorCode.INTERNAL_ERROR: (500, "Something went wrong in the service; trying again may help"),
    ErrorCode.UNAVAILABLE: (504, "The service took too long; trying again may help"),
}


def error_body(code: ErrorCode, message: str) -> dict[str, dict[str, str]]:
    """The one shape of errors."""
    return {"error": {"code": code.value, "message": message}}


def _object(properties: Mapping[str, Schema], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    required = [name for name in properties if name not in optional]
    if required:  # an empty list is none in draft 4
        more["required"] = required
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


_ID: Final = _text("Opaque", pattern=ID_PATTERN)
_TIME: Final = _text("UTC", format="date-time")
_LINK: Final = {"type": "string", "format": "uri"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


REQUESTS: Final[Mapping[str, Schema]] = {
    "NewPhoto": _object(
        {
            "filename": _text(
                "Name of the file, without folders. Characters that cannot be shown are removed",
                minLength=1,
                maxLength=MAX_FILENAME,
            ),
            "content_type": _text("Type of the file that will be uploaded", enum=list(CONTENT_TYPES)),
            "size": {
                "type": "integer",
                "description": "Exact size of that file in bytes",
                "minimum": 1,
                "maximum": MAX_BYTES,
            },
        }
    ),
    "NewAlbum": _object(
        {
            "title": _text("Printed on each page of the album", maxLength=MAX_TITLE, default="Album"),
            "photos": {
                "type": "array",
                "description": "Ids of the photos, in the order of the album. If left out: all that are ready, "
                f"newest first, at most {MAX_PHOTOS}",
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
            "filename": _text("The last part of the photo's object key"),
            "state": _text("`pending`: not uploaded yet, or in work", enum=["pending", "ready", "rejected"]),
            "created_at": _TIME,
            "thumbnails": _object(
                {str(size): _LINK for size in SIZES},
                optional=tuple(str(size) for size in SIZES),
                description="WebP by pixels, if ready. The links hold for an hour or less",
            ),
            "code": _text("If rejected: why, for programs"),
            "reason": _text("If rejected: why, for people"),
        },
        optional=("code", "reason"),
    ),
    "PhotoPage": _object(
        {
            "photos": {"type": "array", "items": _ref("Photo"), "maxItems": MAX_PHOTOS_PER_PAGE},
            "next_cursor": {"type": ["string", "null"], "description": "For the next page; null after the last photo"},
        }
    ),
    "RegisteredPhoto": _object(
        {
            "photo": _ref("Photo"),
            "upload": _object(
                {"url": _LINK, "fields": {"type": "object", "additionalProperties": {"type": "string"}}},
                description="A form: POST to `url`, as multipart/form-data, all `fields` and then the photo as `file`. "
                "It takes a file of the type and size announced, for some minutes",
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
                "description": "Link to the PDF, if ready. It holds for an hour or less",
            },
            "reason": _text("If failed: why, for people"),
        },
        optional=("reason",),
    ),
    "Error": _object(
        {
            "error": _object(
                {"code": _text("For programs", enum=[code.value for code in ErrorCode]), "message": _text("For people")}
            )
        }
    ),
}


@dataclass(frozen=True)
class Route:
    """What can be asked of the API.

    name: of the operation, for programs
    path: an `{id}` in it is a photo's or an album's
    needs_key: whether the gateway asks for an API key
    status: of the answer when all went well
    response: its schema in RESPONSES; None: it has no body
    body: schema in REQUESTS of the JSON that it takes
    query: schema of its query parameters, all of them optional
    errors: what may go wrong with this route besides what may with all
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


# What may go wrong with every route.
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
    Route("health", "GET", "/health", "Whether the API answers", 200, "Health"),
    Route(
        "register_photo",
        "POST",
        "/photos",
        "Announce a photo and get the form to upload it with",
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
        "Photos, newest first",
        200,
        "PhotoPage",
        query=_object(
            {
                "limit": {
                    "type": "integer",
                    "description": "The most photos to answer",
                    "minimum": 1,
                    "maximum": MAX_PHOTOS_PER_PAGE,
                    "default": 50,
                },
                "cursor": _text("The `next_cursor` of the page before", minLength=1, maxLength=2000),
            },
            optional=("limit", "cursor"),
        ),
    ),
    Route(
        "get_photo",
        "GET",
        "/photos/{id}",
        "One photo. Just announced, it may be unknown for a moment",
        200,
        "Photo",
        errors=(ErrorCode.NOT_FOUND,),
    ),
    Route(
        "delete_photo",
        "DELETE",
        "/photos/{id}",
        "Delete a photo. Its thumbnails follow in moments, and then it is unknown",
        204,
        None,
        needs_key=True,
        errors=(ErrorCode.NOT_FOUND,),
    ),
    Route(
        "create_album",
        "POST",
        "/albums",
        "Have an album made of photos: a PDF of contact sheets",
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
        "How far an album is, and where its PDF is",
        200,
        "Album",
        errors=(ErrorCode.NOT_FOUND,),
    ),
)
