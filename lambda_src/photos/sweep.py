"""The sweep: compares originals, thumbnails, and catalogue, and repairs the effects of lost and failed events.

A run starts with a snapshot of the catalogue (`photos/snapshot.py`), and then runs three phases:

1. `photos` joins the originals with the catalogue by key. A photo whose item is missing or describes another upload is
   requeued. The item of a photo that is gone, or was registered but never uploaded, is removed with its thumbnails.
2. `thumbnails` joins the thumbnails with the catalogue by id. A photo that lacks a thumbnail, or whose sizes are not
   those of `SIZES`, is requeued. Thumbnails that no item names are deleted.
3. `multipart_uploads` aborts abandoned multipart uploads.

After a change of `SIZES`, phase 2 requeues every `ready` photo. The thumbnailer writes the new sizes first, then the
item, and then deletes the thumbnails of the sizes that no longer exist, so the item always names thumbnails that exist.

Listings are joined as streams: memory does not grow with the number of photos, and the sweep can resume after any key,
with a new snapshot.

The snapshot is minutes older than the listings that it is joined with. What changes in between cannot cause a wrong
repair:

- A photo is requeued although it was processed, replaced, or deleted after the scan: its message then carries the last
  upload of the snapshot. It rewrites the same result, or it is stale and writes nothing.
- An item is removed only if its photo is not in S3 at that moment, and with the condition of `event_ordering`: an item
  that describes a newer upload than the snapshot stays.
- A thumbnail is deleted only if it is older than `GRACE_PERIOD` at the start of the sweep. One that an item names since
  the scan is younger: the thumbnailer writes it again before the item, even if it existed.

Every repair can be repeated, so two sweeps at the same time only repeat some work. If an old event is processed again
at the moment of a removal, the next sweep repairs the result.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from photos.catalogue import Catalogue, Item, StaleEvent, State
from photos.event_ordering import Upload
from photos.keys import photo_id_of
from photos.limits import SIZES
from photos.merge_join import merge_join
from photos.snapshot import Snapshot
from photos.storage import ObjectSummary, Originals, Thumbnails
from photos.upload_queue import UploadQueue

# Longer than an event can be in progress in the upload queue: five attempts of 15 minutes.
GRACE_PERIOD: Final = timedelta(hours=2)
# A presigned POST expires after minutes, and the multipart upload of a photo takes no longer.
ABANDONED_AFTER: Final = timedelta(days=1)

# Photos. If each of them must be removed, this takes about ten seconds.
_CHECK_TIME_EVERY: Final = 200


class Phase(StrEnum):
    """The phases, in their order."""

    PHOTOS = "photos"
    THUMBNAILS = "thumbnails"
    MULTIPART_UPLOADS = "multipart_uploads"
    DONE = "done"


_NEXT: Final = {
    Phase.PHOTOS: Phase.THUMBNAILS,
    Phase.THUMBNAILS: Phase.MULTIPART_UPLOADS,
    Phase.MULTIPART_UPLOADS: Phase.DONE,
}


class CatalogueTooLarge(Exception):
    """The function is too small to read the catalogue in one run. The message is one line."""


@dataclass
class Counts:
    """Counts of what a sweep has compared and repaired so far."""

    photos: int = 0
    thumbnails: int = 0
    queued: int = 0
    removed_items: int = 0
    removed_thumbnails: int = 0
    aborted_uploads: int = 0


@dataclass
class Progress:
    """The progress of a sweep, from which a later run resumes.

    Attributes:
        started_at: Start of the sweep (not of this run), UTC.
        after: Key or id of the last entry that this phase processed.
        runs: Number of runs, including the current one.
    """

    started_at: datetime
    phase: Phase = Phase.PHOTOS
    after: str = ""
    runs: int = 1
    counts: Counts = field(default_factory=Counts)

    def to_json(self) -> dict[str, Any]:
        """Return the progress in a form that JSON can represent."""
        return asdict(self) | {"started_at": self.started_at.isoformat()}

    @classmethod
    def from_json(cls, progress: dict[str, Any]) -> Progress:
        """Return the progress that `to_json` represents."""
        return cls(
            started_at=datetime.fromisoformat(progress["started_at"]),
            phase=Phase(progress["phase"]),
            after=progress["after"],
            runs=progress["runs"],
            counts=Counts(**progress["counts"]),
        )


class Sweep:
    """Compares and repairs. Transient errors propagate: run the sweep again with the same progress."""

    def __init__(
        self, originals: Originals, thumbnails: Thumbnails, catalogue: Catalogue, upload_queue: UploadQueue
    ) -> None:
        self._originals = originals
        self._thumbnails = thumbnails
        self._catalogue = catalogue
        self._queue = upload_queue

    def run(self, progress: Progress, has_time: Callable[[], bool]) -> None:
        """Continue the sweep until it is done or out of time. Each run makes some progress, or raises an exception.

        Args:
            progress: Where to resume. It is updated in place; its phase shows whether the sweep is done.
            has_time: Returns whether there is time for another step.

        Raises:
            CatalogueTooLarge: There is not enough time or disk space to read the catalogue.
        """
        with closing(Snapshot()) as snapshot:
            if progress.phase in (Phase.PHOTOS, Phase.THUMBNAILS):
                self._read_catalogue(snapshot, has_time)
            self._run_phases(progress, snapshot, has_time)

    def _read_catalogue(self, snapshot: Snapshot, has_time: Callable[[], bool]) -> None:
        count = 0
        try:
            for items in self._catalogue.scan():
                if count and not has_time():
                    raise CatalogueTooLarge(
                        f"There was only time to read {count} items of the catalogue. Increase the memory of the "
                        "function, and with it its CPU share (stacks/constructs/sweep_function.py)."
                    )
                snapshot.add(items)
                count += len(items)
            snapshot.sort()
        except sqlite3.OperationalError as error:
            raise CatalogueTooLarge(
                f"After {count} items of the catalogue: {error}. Increase the ephemeral storage of the function "
                "(stacks/constructs/sweep_function.py)."
            ) from error

    def _run_phases(self, progress: Progress, snapshot: Snapshot, has_time: Callable[[], bool]) -> None:
        while progress.phase is not Phase.DONE:
            for count, name in enumerate(self._reconcile(progress, snapshot), start=1):
                if count % _CHECK_TIME_EVERY == 0:
                    self._queue.flush()
                    progress.after = name
                    if not has_time():
                        return
            self._queue.flush()
            progress.phase, progress.after = _NEXT[progress.phase], ""
            if not has_time():
                return

    def _reconcile(self, progress: Progress, snapshot: Snapshot) -> Iterator[str]:
        """Run the current phase, and yield the key or id of each processed entry."""
        if progress.phase is Phase.PHOTOS:
            return self._reconcile_photos(progress, snapshot)
        if progress.phase is Phase.THUMBNAILS:
            return self._reconcile_thumbnails(progress, snapshot)
        return self._abort_multipart_uploads(progress)

    def _reconcile_photos(self, progress: Progress, snapshot: Snapshot) -> Iterator[str]:
        originals = ((original.key, original) for original in self._originals.list_objects(after=progress.after))
        items = ((item.key, item) for item in snapshot.items_by("key", after=progress.after))
        for key, original, item in merge_join(originals, items):
            if original:
                self._reconcile_photo(progress, original, item)
            elif item and self._remove_without_photo(progress, item):
                snapshot.discard(key)  # or phase 2 would requeue it for its missing thumbnails
            yield key

    def _reconcile_thumbnails(self, progress: Progress, snapshot: Snapshot) -> Iterator[str]:
        # Resume behind the thumbnails of the last photo, whose keys start with its id and "/". "0" follows "/".
        thumbnails = self._thumbnails.list_objects(after=f"{progress.after}0" if progress.after else "")
        by_photo = groupby(thumbnails, key=lambda thumbnail: photo_id_of(thumbnail.key))
        stored_by_id = ((photo_id, list(stored)) for photo_id, stored in by_photo)
        items = ((item.id, item) for item in snapshot.items_by("id", after=progress.after))
        for photo_id, stored, item in merge_join(stored_by_id, items):
            self._reconcile_thumbnails_of(progress, stored or [], item)
            yield photo_id

    def _abort_multipart_uploads(self, progress: Progress) -> Iterator[str]:
        for key in self._originals.abort_multipart_uploads(before=progress.started_at - ABANDONED_AFTER):
            progress.counts.aborted_uploads += 1
            yield key

    def _reconcile_photo(self, progress: Progress, original: ObjectSummary, item: Item | None) -> None:
        progress.counts.photos += 1
        processed = item is not None and item.state is not State.PENDING and item.etag == original.etag
        if not processed and original.last_modified < progress.started_at - GRACE_PERIOD:
            self._requeue(progress, original.key, Upload(original.etag, item.sequencer if item else ""))

    def _remove_without_photo(self, progress: Progress, item: Item) -> bool:
        """Remove an item whose photo was not listed, unless it is recent or the photo exists by now."""
        deadline = progress.started_at - (ABANDONED_AFTER if item.state is State.PENDING else GRACE_PERIOD)
        if item.created_at >= deadline or self._originals.exists(item.key):
            return False
        try:
            thumbnails = self._catalogue.remove(item.key, item.sequencer)
        except StaleEvent:
            return False  # uploaded again since
        progress.counts.removed_items += 1
        self._thumbnails.delete_all(thumbnails)
        progress.counts.removed_thumbnails += len(thumbnails)
        return True

    def _reconcile_thumbnails_of(self, progress: Progress, stored: list[ObjectSummary], item: Item | None) -> None:
        last_modified = {thumbnail.key: thumbnail.last_modified for thumbnail in stored}
        named = set(item.thumbnails.values()) if item else set()
        progress.counts.thumbnails += len(stored)
        sizes = set(SIZES) if item and item.state is State.READY else set()
        if item and (item.thumbnails.keys() != sizes or named - last_modified.keys()):
            self._requeue(progress, item.key, Upload(item.etag, item.sequencer))
        deadline = progress.started_at - GRACE_PERIOD
        orphans = [key for key in last_modified.keys() - named if last_modified[key] < deadline]
        self._thumbnails.delete_all(orphans)
        progress.counts.removed_thumbnails += len(orphans)

    def _requeue(self, progress: Progress, key: str, upload: Upload) -> None:
        self._queue.send(key, upload)
        progress.counts.queued += 1
