"""Names: the keys of originals, the id of a photo, and where the thumbnails of one upload of it are."""

import hashlib
import re
import secrets
import unicodedata
from typing import Final

from photos.event_ordering import Upload

UPLOADS: Final = "uploads/"  # what comes by an upload form; other photos may be under any key

_LONGEST_NAME: Final = 200  # characters, of 4 bytes at most: a key has room for 1,024
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
    sequencer = upload.padded_sequencer.rstrip("0") or "0"  # one name, told by S3 or read from the catalogue
    return f"{photo_id(key)}/{sequencer}-{upload.etag}/{size}.webp"


def new_key(filename: str) -> str:
    """An object key that nothing is under, for an upload of this name.

    What is no part of a name goes: folders, what cannot be seen, and `$`, because S3 puts a name of the client's
    choice where an upload form has `${filename}`.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1]
    seen = "".join(character for character in name if character.isprintable() and character != "$").strip(" .")
    return f"{UPLOADS}{secrets.token_hex(16)}/{seen[:_LONGEST_NAME] or 'photo'}"


def filename_of(key: str) -> str:
    """What people are shown of an object key: its last part, whatever is before it."""
    return key.rstrip("/").rpartition("/")[2] or key


def is_thumbnail_key(key: str) -> bool:
    """Whether this object is a thumbnail: the bucket holds albums and reports too."""
    return _THUMBNAIL_KEY.fullmatch(key) is not None


def photo_id_of(thumbnail: str) -> str:
    """The id of the photo that this thumbnail is of, by its object key."""
    return thumbnail.partition("/")[0]
