"""Names: the id of a photo, and where the thumbnails of one upload of it are."""

import hashlib
import re
from typing import Final

from photos.newest_wins import Upload

_THUMBNAIL_KEY: Final = re.compile(r"[0-9a-f]{32}/[^/]+/[0-9]+\.webp")


def photo_id(key: str) -> str:
    """The id of the photo under this object key: opaque, URL-safe, 32 characters, the same at every call.

    A hash, so that an id can be told to anyone and still leads to no other key; 128 bits do not collide.
    """
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def thumbnail_key(key: str, upload: Upload, size: int) -> str:
    """The object key of the thumbnail that fits in `size` x `size` pixels.

    It names the one upload it was made from. So it never changes its content: an event delivered twice or
    late writes the same object again, and deleting what one upload left never hits another's.
    """
    sequencer = upload.comparable_sequencer.rstrip("0") or "0"  # one name, told by S3 or read from the catalogue
    return f"{photo_id(key)}/{sequencer}-{upload.etag}/{size}.webp"


def is_thumbnail_key(key: str) -> bool:
    """Whether this object is a thumbnail: the bucket holds albums and reports too."""
    return _THUMBNAIL_KEY.fullmatch(key) is not None


def photo_id_of(thumbnail: str) -> str:
    """The id of the photo that this thumbnail is of, by its object key."""
    return thumbnail.partition("/")[0]
