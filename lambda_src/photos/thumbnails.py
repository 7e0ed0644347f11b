"""What happens to a photo: uploaded, it gets thumbnails or a rejection; deleted, it loses them.

Both may run twice, late, out of order, at once, or be killed anywhere, and end the same. Each step leaves only
what the next run of it repairs: thumbnails first, then the one write to the catalogue that decides, then the
removal of what that write replaced. Killed just before that removal, it leaves thumbnails that no item names: only
that write knew of them, and the sweep finds them.
"""

from enum import StrEnum

from photos.catalogue import Catalogue, StaleEvent
from photos.errors import PhotoRejected
from photos.event_ordering import Upload, pad_sequencer
from photos.imaging import make_thumbnails
from photos.keys import thumbnail_key
from photos.limits import MAX_BYTES, SIZES
from photos.storage import Original, OriginalDeleted, OriginalReplaced, Originals, Thumbnails


class Outcome(StrEnum):
    """What became of one event."""

    READY = "ready"
    REJECTED = "rejected"
    REMOVED = "removed"
    STALE = "stale"  # a newer event of the same photo has been or will be handled


class Thumbnailer:
    """Keeps thumbnails and catalogue true to the originals, one event at a time.

    Any fault that may pass (throttling, a time-out, a 5xx) leaves as the exception it is: try again.
    """

    def __init__(self, originals: Originals, thumbnails: Thumbnails, catalogue: Catalogue) -> None:
        self._originals = originals
        self._thumbnails = thumbnails
        self._catalogue = catalogue

    def uploaded(self, key: str, upload: Upload) -> Outcome:
        """Make the thumbnails of this upload and say so in the catalogue, unless a newer event did."""
        own = {size: thumbnail_key(key, upload, size) for size in SIZES}
        try:
            outcome, replaced = self._publish(key, upload, own)
        except OriginalDeleted:
            self._thumbnails.delete_all(own.values())
            return self.deleted(key, upload.sequencer)
        except (OriginalReplaced, StaleEvent):
            # An earlier run of this event may have been killed after it wrote them.
            if not self._catalogue.describes(key, upload):
                self._thumbnails.delete_all(own.values())
            return Outcome.STALE
        self._thumbnails.delete_all(replaced)
        # Deleted while we worked: its event may have come before there was anything to remove.
        if not self._originals.exists(key):
            return self.deleted(key, upload.sequencer)
        return outcome

    def deleted(self, key: str, sequencer: str) -> Outcome:
        """Remove the photo's thumbnails and item, unless it was uploaded again since."""
        try:
            self._thumbnails.delete_all(self._catalogue.remove(key, pad_sequencer(sequencer)))
        except StaleEvent:
            return Outcome.STALE
        return Outcome.REMOVED

    def _publish(self, key: str, upload: Upload, own: dict[int, str]) -> tuple[Outcome, set[str]]:
        with self._originals.open(key, upload) as original:
            try:
                images = make_thumbnails(_read(original), SIZES)
            except PhotoRejected as rejection:
                return Outcome.REJECTED, self._catalogue.set_rejected(
                    key, upload, uploaded_at=original.uploaded_at, rejection=rejection
                )
        for size, webp in images.items():
            self._thumbnails.write(own[size], webp)
        return Outcome.READY, self._catalogue.set_ready(key, upload, uploaded_at=original.uploaded_at, thumbnails=own)


def _read(original: Original) -> bytes:
    if original.size > MAX_BYTES:
        size, limit = original.size / 2**20, MAX_BYTES / 2**20
        raise PhotoRejected("too_many_bytes", f"This file has {size:,.1f} MiB; a photo may have {limit:,.0f} MiB.")
    return original.read()
