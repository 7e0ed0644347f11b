"""Names: the id of a photo, and where the thumbnails of one upload of it are."""

import hashlib

from photos.newest_wins import Upload


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
    return f"{photo_id(key)}/{upload.sequencer or 0}-{upload.etag}/{size}.webp"
