"""A remake: regenerates the thumbnails of all photos, for example after a change of their sizes or quality.

A manifest divides the originals into slices, and each slice is remade by one child of an array job (AWS Batch). The
manifest contains no list of photos, only the object keys between which each slice lies, so it stays small, and a slice
is listed when it is remade.

A photo is processed like an S3 event of its last known upload (`photos/thumbnails.py`). The same conditional write
decides which result is current, so an upload or deletion during a remake takes precedence, and a remake can be killed
at any step and repeated. Photos without an item get one. If a deletion is processed between two steps of a remake that
is killed then, the sweep removes the item.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.keys import thumbnail_key, upload_prefix
from photos.limits import SIZES
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Outcome, Thumbnailer

PREFIX: Final = "remakes/"  # of manifests, in the thumbnails bucket
PHOTOS_PER_SLICE: Final = 200  # about a minute of work, so that an interruption repeats little
MAX_SLICES: Final = 10_000  # children of one array job (quota of AWS Batch)


class InvalidManifest(ValueError):
    """The manifest is invalid. The message is one line."""


@dataclass(frozen=True)
class Slice:
    """The originals behind the key `after`, up to and including the key `until` or, without one, to the last."""

    after: str
    until: str | None


@dataclass(frozen=True)
class Manifest:
    """A division of the originals into slices.

    Attributes:
        starts: For each slice, the object key behind which it starts.
        photos: Number of originals at the time of the division.
    """

    starts: tuple[str, ...]
    photos: int

    def slice(self, index: int) -> Slice:
        """Return a slice, counted from 0 like the children of the array job. Raises InvalidManifest."""
        if not 0 <= index < len(self.starts):
            raise InvalidManifest(f"Slice {index} does not exist: the manifest has {len(self.starts)} slices")
        return Slice(self.starts[index], self.starts[index + 1] if index + 1 < len(self.starts) else None)

    def to_json(self) -> bytes:
        """Return the content of the manifest."""
        return json.dumps({"slices": self.starts, "photos": self.photos}).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Return the manifest with this content. Raises InvalidManifest."""
        try:
            given = json.loads(content)
            return cls(tuple(str(start) for start in given["slices"]), int(given["photos"]))
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidManifest(f"The manifest is not valid ({error!r})") from error


def manifest_key(remake_id: str) -> str:
    """Return the object key of the manifest."""
    return f"{PREFIX}{remake_id}.json"


def divide(keys: Iterable[str]) -> Manifest:
    """Divide the originals with these object keys, which are in the order of S3, into slices.

    A slice has at least PHOTOS_PER_SLICE photos, or all if there are fewer. If that makes more than MAX_SLICES slices,
    the slices become twice as large, as often as necessary. Memory does not grow with the number of photos.
    """
    starts, size, photos = [""], PHOTOS_PER_SLICE, 0
    for key in keys:
        photos += 1
        if photos % size == 0:
            starts.append(key)
            if len(starts) - 1 > MAX_SLICES:
                starts, size = starts[::2], 2 * size
    # The last start is followed by less than a slice, which the slice before it includes.
    return Manifest(tuple(starts[:-1] or starts), photos)


class Remake:
    """Regenerates the thumbnails of a slice."""

    def __init__(
        self, originals: Originals, thumbnails: Thumbnails, catalogue: Catalogue, thumbnailer: Thumbnailer
    ) -> None:
        self._originals = originals
        self._thumbnails = thumbnails
        self._catalogue = catalogue
        self._thumbnailer = thumbnailer

    def run(self, part: Slice) -> Iterator[tuple[str, Outcome | Exception]]:
        """Process each original of a slice. A photo that fails does not prevent the others.

        Yields:
            The object key of each original, and its outcome or the error.
        """
        for original in self._originals.list_objects(after=part.after):
            # Python compares strings by code points, which is the order of their UTF-8 bytes, and of S3.
            if part.until is not None and original.key > part.until:
                return
            try:
                outcome: Outcome | Exception = self._process(original.key, original.etag)
            except Exception as error:
                outcome = error
            yield original.key, outcome

    def _process(self, key: str, etag: str) -> Outcome:
        item = self._catalogue.get(key)
        upload = Upload(etag, item.sequencer if item else "")
        outcome = self._thumbnailer.process_upload(key, upload)
        if item and outcome in (Outcome.READY, Outcome.REJECTED):
            sizes = SIZES if outcome is Outcome.READY else ()
            if item.thumbnails.keys() == set(sizes):
                # An earlier attempt may have written the item, and was killed before it deleted what this replaced.
                stored = {entry.key for entry in self._thumbnails.list_objects(prefix=upload_prefix(key, upload))}
                self._thumbnails.delete_all(stored - {thumbnail_key(key, upload, size) for size in sizes})
        return outcome
