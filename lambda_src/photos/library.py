"""The photo library: register a photo for upload, list photos, get a photo, and delete a photo.

Registering a photo writes a `pending` item. The client then uploads the photo directly to S3, and the S3 event triggers
its thumbnails. Deleting works the same way: the library deletes the original, and the S3 event triggers the removal of
the thumbnails and the item. Only the thumbnailer creates and removes thumbnails, and it handles these races:

- The photo is deleted while its thumbnails are generated: the thumbnailer finds that the original is gone and removes
  the thumbnails.
- The photo is deleted before its upload completes: the upload is newer than the deletion, so the photo exists again.
- The photo is registered but never uploaded: its deletion removes the item, or the sweep does so a day later.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from photos.catalogue import Catalogue, Item, State
from photos.cursor import decode_cursor, encode_cursor
from photos.keys import new_key
from photos.listing import Listing
from photos.storage import Originals


class PhotoNotFound(LookupError):
    """No photo has this id. The message is a sentence to display."""

    def __init__(self) -> None:
        super().__init__("No photo has this id.")


class Library:
    """The photos of the service."""

    def __init__(self, catalogue: Catalogue, listing: Listing, originals: Originals) -> None:
        self._catalogue = catalogue
        self._listing = listing
        self._originals = originals

    def register(self, filename: str) -> Item:
        """Create the item of a photo that the client will upload under the key of the item."""
        return self._catalogue.register(new_key(filename), registered_at=datetime.now(UTC))

    def page(self, limit: int, cursor: str | None = None) -> tuple[Sequence[Item], str | None]:
        """Return a page of photos, newest first, and the cursor of the next page if there is one.

        Raises:
            InvalidCursor: The cursor does not come from a page of photos.
        """
        items, last = self._listing.page(limit, after=decode_cursor(cursor) if cursor is not None else None)
        return items, encode_cursor(last) if last else None

    def get(self, photo_id: str) -> Item:
        """Return the photo with this id. Raises PhotoNotFound."""
        key = self._listing.find_key(photo_id)
        item = self._catalogue.get(key) if key is not None else None
        if item is None:
            raise PhotoNotFound
        return item

    def delete(self, photo_id: str) -> None:
        """Delete the original of a photo; its S3 event triggers the rest, and until then the call can be repeated.

        Raises:
            PhotoNotFound: No photo has this id.
        """
        item = self.get(photo_id)
        self._originals.delete(item.key)
        if item.state is State.PENDING:  # perhaps there was no original, and then no event follows
            self._catalogue.unregister(item.key)
