"""The sweep: what events did not bring about, because one was lost or its handling failed for good, is put right.

Three comparisons, one after the other:

1. originals with the catalogue, both in the order of keys: a photo without an item that speaks of it is queued;
   an item whose photo is gone, or was announced and never came, is removed with its thumbnails;
2. thumbnails with the catalogue, both in the order of ids: a photo that lacks one of its thumbnails is queued;
   thumbnails that no item names are removed;
3. multipart uploads with the clock: the abandoned ones are aborted.

Listings pass side by side, so memory does not grow with their length and any key is a place to go on from.
Nothing younger than an hour is touched: it may be in work. Every act may be done twice, and none relies on what
a listing said a while ago: a removal asks S3 for the photo first and then holds the condition of `newest_wins`.
Two sweeps at once therefore only do some of the work twice. What a sweep removes in the very moment in which
an old event is handled once more, the next sweep finds missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from photos.catalogue import Catalogue, Item, StaleEvent, State
from photos.event_ordering import Upload, pad_sequencer
from photos.keys import photo_id_of
from photos.merge_join import merge_join
from photos.storage import ObjectSummary, Originals, Thumbnails
from photos.upload_queue import UploadQueue

# Longer than the upload queue may keep an event busy: three tries of six minutes.
GRACE_PERIOD: Final = timedelta(hours=1)
# Upload forms hold for minutes, and so do multipart uploads of a photo.
ABANDONED_AFTER: Final = timedelta(days=1)

# Photos; if each of them has to be removed, they take some ten seconds.
_BETWEEN_LOOKS_AT_THE_CLOCK: Final = 200


class Phase(StrEnum):
    """The comparisons, in their order."""

    PHOTOS = "photos"
    THUMBNAILS = "thumbnails"
    MULTIPART_UPLOADS = "multipart_uploads"
    DONE = "done"


_NEXT: Final = {
    Phase.PHOTOS: Phase.THUMBNAILS,
    Phase.THUMBNAILS: Phase.MULTIPART_UPLOADS,
    Phase.MULTIPART_UPLOADS: Phase.DONE,
}


@dataclass
class Counts:
    """What a sweep has seen and done so far."""

    photos: int = 0
    thumbnails: int = 0
    queued: int = 0
    removed_items: int = 0
    removed_thumbnails: int = 0
    aborted_uploads: int = 0


@dataclass
class Progress:
    """How far a sweep has come; a later run goes on from here.

    started_at: UTC, of the whole sweep
    after: name of the last entry of the phase that was dealt with
    runs: how many runs it took so far
    """

    started_at: datetime
    phase: Phase = Phase.PHOTOS
    after: str = ""
    runs: int = 1
    counts: Counts = field(default_factory=Counts)

    def to_json(self) -> dict[str, Any]:
        """As JSON has it, for `from_json` of a later run."""
        return asdict(self) | {"started_at": self.started_at.isoformat()}

    @classmethod
    def from_json(cls, progress: dict[str, Any]) -> Progress:
        """What `to_json` gave."""
        return cls(
            started_at=datetime.fromisoformat(progress["started_at"]),
            phase=Phase(progress["phase"]),
            after=progress["after"],
            runs=progress["runs"],
            counts=Counts(**progress["counts"]),
        )


class Sweep:
    """Compares and puts right. Any fault that may pass leaves as the exception it is: run it again."""

    def __init__(
        self, originals: Originals, thumbnails: Thumbnails, catalogue: Catalogue, upload_queue: UploadQueue
    ) -> None:
        self._originals = originals
        self._thumbnails = thumbnails
        self._catalogue = catalogue
        self._queue = upload_queue

    def run(self, progress: Progress, has_time: Callable[[], bool]) -> None:
        """Go on from `progress` until it is done or there is no time: `progress` says afterwards which of the two.

        It always gets somewhat further, however little time there is.
        """
        while progress.phase is not Phase.DONE:
            for count, name in enumerate(self._reconcile(progress), start=1):
                if count % _BETWEEN_LOOKS_AT_THE_CLOCK == 0:
                    self._queue.flush()
                    progress.after = name
                    if not has_time():
                        return
            self._queue.flush()
            progress.phase, progress.after = _NEXT[progress.phase], ""
            if not has_time():
                return

    def _reconcile(self, progress: Progress) -> Iterator[str]:
        """The names of what was dealt with in this phase, one by one."""
        if progress.phase is Phase.PHOTOS:
            return self._photos(progress)
        if progress.phase is Phase.THUMBNAILS:
            return self._thumbnails_of_photos(progress)
        return self._multipart_uploads(progress)

    def _photos(self, progress: Progress) -> Iterator[str]:
        originals = ((stored.key, stored) for stored in self._originals.list_objects(after=progress.after))
        items = ((item.key, item) for item in self._catalogue.items_by("key", after=progress.after))
        for key, stored, item in merge_join(originals, items):
            self._compare_photo(progress, key, stored, item)
            yield key

    def _thumbnails_of_photos(self, progress: Progress) -> Iterator[str]:
        # Behind the last photo's thumbnails, which begin with its id and "/": "0" is what follows "/".
        thumbnails = self._thumbnails.list_objects(after=f"{progress.after}0" if progress.after else "")
        by_photo = groupby(thumbnails, key=lambda thumbnail: photo_id_of(thumbnail.key))
        stored_by_id = ((photo_id, list(stored)) for photo_id, stored in by_photo)
        items = ((item.id, item) for item in self._catalogue.items_by("id", after=progress.after))
        for photo_id, stored, item in merge_join(stored_by_id, items):
            self._compare_thumbnails(progress, stored or [], item)
            yield photo_id

    def _multipart_uploads(self, progress: Progress) -> Iterator[str]:
        for key in self._originals.abort_multipart_uploads(before=progress.started_at - ABANDONED_AFTER):
            progress.counts.aborted_uploads += 1
            yield key

    def _compare_photo(self, progress: Progress, key: str, stored: ObjectSummary | None, item: Item | None) -> None:
        if stored:
            progress.counts.photos += 1
            known = item is not None and item.state is not State.PENDING and item.etag == stored.etag
            if not known and stored.last_modified < progress.started_at - GRACE_PERIOD:
                self._ask_for_thumbnails(progress, key, Upload(stored.etag, item.sequencer if item else ""))
        elif item:
            patience = ABANDONED_AFTER if item.state is State.PENDING else GRACE_PERIOD
            if item.created_at < progress.started_at - patience and not self._originals.exists(key):
                self._remove(progress, item)

    def _compare_thumbnails(self, progress: Progress, stored: list[ObjectSummary], item: Item | None) -> None:
        there = {thumbnail.key: thumbnail.last_modified for thumbnail in stored}
        named = set(item.thumbnails.values()) if item else set()
        progress.counts.thumbnails += len(there)
        if item and named - there.keys():
            self._ask_for_thumbnails(progress, item.key, Upload(item.etag, item.sequencer))
        orphans = [key for key in there.keys() - named if there[key] < progress.started_at - GRACE_PERIOD]
        self._thumbnails.delete_all(orphans)
        progress.counts.removed_thumbnails += len(orphans)

    def _ask_for_thumbnails(self, progress: Progress, key: str, upload: Upload) -> None:
        self._queue.send(key, upload)
        progress.counts.queued += 1

    def _remove(self, progress: Progress, item: Item) -> None:
        try:
            thumbnails = self._catalogue.remove(item.key, pad_sequencer(item.sequencer))
        except StaleEvent:
            return  # uploaded again since
        progress.counts.removed_items += 1
        self._thumbnails.delete_all(thumbnails)
        progress.counts.removed_thumbnails += len(thumbnails)
