"""Object keys and ids: keys of originals, ids of photos, and keys of thumbnails."""

import hashlib
import re
import secrets
import unicodedata
from typing import Final

from photos.event_ordering import Upload

UPLOADS: Final = "uploads/"  # prefix of photos that are registered first; other photos may have any key

_MAX_FILENAME: Final = 200  # characters of up to 4 bytes: an object key may have 1,024 bytes
_THUMBNAIL_KEY: Final = re.compile(r"[0-9a-f]{32}/[^/]+/[0-9]+\.webp")


def photo_id(key: str) -> str:
    """Return the id of the photo under this object key: 32 hexadecimal digits that depend on the key only.

    The id is a hash, so clients can share it without revealing object keys. With 128 bits, collisions do not occur.
    """
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def thumbnail_key(key: str, upload: Upload, size: int) -> str:
    """Return the object key of the thumbnail that fits in `size` × `size` pixels.

    The key identifies the upload, so the content under it never changes: a duplicate or stale event writes the same
    object again, and deleting the thumbnails of one upload never affects those of another.
    """
    return f"{upload_prefix(key, upload)}{size}.webp"


def upload_prefix(key: str, upload: Upload) -> str:
    """Return what the object keys of all thumbnails of an upload start with."""
    # The same whether the sequencer comes from S3 or, padded, from the catalogue.
    sequencer = upload.padded_sequencer.rstrip("0") or "0"
    return f"{photo_id(key)}/{sequencer}-{upload.etag}/"


def new_key(filename: str) -> str:
    """Return an unused object key for an upload with this filename.

    Folders and unprintable characters are removed, and so is `$`: S3 replaces `${filename}` in the key of a
    presigned POST with a name that the client chooses.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1]
    safe = remove_unprintable(name).replace("$", "").strip(" .")
    return f"{UPLOADS}{secrets.token_hex(16)}/{safe[:_MAX_FILENAME] or 'photo'}"


def remove_unprintable(text: str) -> str:
    """Remove characters that are invisible or change how other text is displayed, such as bidirectional controls."""
    return "".join(character for character in text if character.isprintable())


def filename_of(key: str) -> str:
    """Return the filename to display for an object key: its last part that is not empty."""
    return key.rstrip("/").rpartition("/")[2] or key


def is_thumbnail_key(key: str) -> bool:
    """Return whether the object is a thumbnail. The bucket also contains other objects."""
    return _THUMBNAIL_KEY.fullmatch(key) is not None


def photo_id_of(thumbnail: str) -> str:
    """Return the id of the photo that a thumbnail belongs to, from the object key of the thumbnail."""
    return thumbnail.partition("/")[0]
