"""The library: what people do with photos. They register one, look at the newest, look at one, delete one.

Announcing writes an item, `pending`; the photo itself goes to S3 past this service, and its event does the rest.
Deleting is the same the other way round: the original is removed, and its event removes thumbnails and item. So there
is one that makes and removes thumbnails, and it knows what to do when things cross:

- deleted while its thumbnails are made: that run finds the original gone, and removes what it made;
- deleted before its upload has ended: S3 tells the upload after the deletion, and the photo is there, as new;
- announced and never uploaded: the item goes with the deletion, or with a sweep a day later.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from photos.catalogue import Catalogue, Item, State
from photos.cursor import Cursors
from photos.keys import new_key
from photos.listing import Listing
from photos.storage import Originals


class PhotoNotFound(LookupError):
    """No photo has this id. The message is a sentence for people."""

    def __init__(self) -> None:
        super().__init__("No photo has this id.")


class Library:
    """The photos of the service."""

    def __init__(self, catalogue: Catalogue, listing: Listing, originals: Originals, cursors: Cursors) -> None:
        self._catalogue = catalogue
        self._listing = listing
        self._originals = originals
        self._cursors = cursors

    def register(self, filename: str) -> Item:
        """Make an item for a photo that is to be uploaded under the key in it."""
        return self._catalogue.register(new_key(filename), registered_at=datetime.now(UTC))

    def page(self, limit: int, cursor: str | None = None) -> tuple[Sequence[Item], str | None]:
        """Photos, newest first, and the cursor of the next page if there is one. Raises InvalidCursor."""
        items, last = self._listing.page(limit, after=self._cursors.read(cursor) if cursor is not None else None)
        return items, self._cursors.write(last) if last else None

    def get(self, photo_id: str) -> Item:
        """The photo of this id. Raises PhotoNotFound."""
        item = self._listing.find(photo_id)
        if item is None:
            raise PhotoNotFound
        return item

    def delete(self, photo_id: str) -> None:
        """Remove the photo's original; all else follows. Once more is no error until it has. Raises PhotoNotFound."""
        item = self.get(photo_id)
        self._originals.delete(item.key)
        if item.state is State.PENDING:  # perhaps no original was there, and no event comes
            self._catalogue.unregister(item.key)
