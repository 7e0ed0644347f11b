"""The thumbnailer processes one S3 event at a time: an upload gets thumbnails or a rejection, a deletion removes them.

Processing an event is idempotent and safe against crashes: events may arrive twice, late, out of order, or at the same
time, and the process may be killed at any step, with the same result. The order of the steps ensures this:

1. Write the thumbnails. Their keys identify the upload, so this can be repeated and is not visible yet.
2. Write the catalogue item, with the condition that it does not describe a newer upload. This write decides which
upload is current.
3. Delete the thumbnails that this write replaced.

After a crash before step 3, no item names the replaced thumbnails. The sweep finds and deletes them.

A deletion event can be processed after the original was read and before step 2. It removes the item, and step 2 creates
it again. Therefore, a handler that creates an item, or replaces the upload that it describes, checks afterwards whether
the original still exists, and otherwise removes the item:

- The item existed and was `pending`, or described this upload: no deletion was processed, or another handler created
  the item since and checks. So most photos, those that the API registered, need no check.
- The item described an older upload: that check finds the item newer than its event and leaves it, so this one checks.
- After a crash before the check, the message is delivered again and finds no original.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from photos.catalogue import Catalogue, Item, StaleEvent
from photos.errors import PhotoRejected
from photos.event_ordering import Upload
from photos.input_limits import check_size
from photos.keys import thumbnail_key
from photos.limits import SIZES
from photos.storage import Original, OriginalDeleted, OriginalReplaced, Originals, Thumbnails


class Outcome(StrEnum):
    """The outcome of an event."""

    READY = "ready"
    REJECTED = "rejected"
    REMOVED = "removed"
    STALE = "stale"  # a newer event of the same photo takes precedence


class Thumbnailer:
    """Updates thumbnails and catalogue after S3 events.

    Transient errors (throttling, timeouts, 5xx) propagate, so that the caller can retry the event.
    """

    def __init__(
        self,
        originals: Originals,
        thumbnails: Thumbnails,
        catalogue: Catalogue,
        make_thumbnails: Callable[[bytes, Sequence[int]], dict[int, bytes]],
    ) -> None:
        """Use these stores.

        Args:
            originals: Bucket of the originals.
            thumbnails: Bucket of the thumbnails.
            catalogue: Table of the items.
            make_thumbnails: The method of `photos.decoder_process.DecoderProcess` or the function of `photos.imaging`.
        """
        self._make_thumbnails = make_thumbnails
        self._originals = originals
        self._thumbnails = thumbnails
        self._catalogue = catalogue

    def process_upload(self, key: str, upload: Upload) -> Outcome:
        """Generate the thumbnails of an upload and record the result, unless a newer event has been processed.

        The thumbnails are regenerated even if the item already describes this upload. This restores lost thumbnails and
        applies a change of SIZES.
        """
        own = {size: thumbnail_key(key, upload, size) for size in SIZES}
        try:
            outcome, previous = self._publish(key, upload, own)
        except OriginalDeleted:
            self._thumbnails.delete_all(own.values())
            return self.process_deletion(key, upload.sequencer)
        except (OriginalReplaced, StaleEvent):
            # An earlier attempt at this event may have written them before a crash.
            if not self._catalogue.describes(key, upload):
                self._thumbnails.delete_all(own.values())
            return Outcome.STALE
        if previous:
            named = own.values() if outcome is Outcome.READY else ()
            self._thumbnails.delete_all(set(previous.thumbnails.values()).difference(named))
            if previous.sequencer in ("", upload.padded_sequencer):
                return outcome
        return outcome if self._originals.exists(key) else self.process_deletion(key, upload.sequencer)

    def process_deletion(self, key: str, sequencer: str) -> Outcome:
        """Remove the thumbnails and the item of a photo, unless it has been uploaded again since."""
        try:
            self._thumbnails.delete_all(self._catalogue.remove(key, sequencer))
        except StaleEvent:
            return Outcome.STALE
        return Outcome.REMOVED

    def _publish(self, key: str, upload: Upload, own: dict[int, str]) -> tuple[Outcome, Item | None]:
        """Write thumbnails and item. Returns the outcome and the item before, if there was one."""
        with self._originals.open(key, upload) as original:
            try:
                images = self._make_thumbnails(_read(original), SIZES)
            except PhotoRejected as rejection:
                return Outcome.REJECTED, self._catalogue.set_rejected(
                    key, upload, uploaded_at=original.uploaded_at, rejection=rejection
                )
        with ThreadPoolExecutor(len(images)) as pool:  # the block ends when all are written, or one failed
            list(pool.map(self._thumbnails.write, (own[size] for size in images), images.values()))
        return Outcome.READY, self._catalogue.set_ready(key, upload, uploaded_at=original.uploaded_at, thumbnails=own)


def _read(original: Original) -> bytes:
    check_size(original.size)
    return original.read()
