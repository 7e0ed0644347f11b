"""The files that every compute option receives: a fixed mix of photos and of files that are not photos."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from typing import Final

from tools.photos import camera_photo, encode, invalid_files, phone_heic

_LARGEST: Final = "HEIC of 48 megapixels"

# The kinds of files, in the order in which they repeat. None stands for one of the invalid files, in turn.
_MIX: Final = (
    "JPEG of 12 megapixels",
    "HEIC of 12 megapixels",
    None,
    "PNG of 2 megapixels",
    "JPEG of 12 megapixels",
    "WebP of 2 megapixels",
    "JPEG of 12 megapixels",
    "HEIC of 12 megapixels",
    "JPEG of 2 megapixels",
    "progressive JPEG of 2 megapixels",
    "JPEG of 12 megapixels",
    "HEIC of 12 megapixels",
    None,
    "AVIF of 2 megapixels",
    "JPEG of 12 megapixels",
    "GIF of 2 megapixels",
    "JPEG of 12 megapixels",
    "HEIC of 12 megapixels",
    "TIFF of 2 megapixels",
    "BMP of 2 megapixels",
)


@dataclass(frozen=True)
class File:
    """A file to upload.

    Attributes:
        kind: Description of the content. Files of the same kind are equal.
        body: The content.
        code: The code of the rejection, or None if the service accepts the file.
    """

    kind: str
    body: bytes
    code: str | None = None


def make_files(count: int) -> dict[str, File]:
    """Return files by object key. Each run returns the same ones."""
    invalid = cycle([File(name, body, code) for name, (body, code) in invalid_files().items()])
    files = [_photo(_LARGEST)]
    files += (_photo(kind) if kind else next(invalid) for kind in islice(cycle(_MIX), count - 1))
    # Without extensions, because the service detects the format from the content.
    return {f"compare/{number:05}": file for number, file in enumerate(files[:count])}


def count_kinds(files: Mapping[str, File]) -> dict[str, int]:
    """Return the number of files of each kind, the most frequent first."""
    kinds = [file.kind for file in files.values()]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))}


@cache
def _photo(kind: str) -> File:
    format_, size = kind.split(" of ")
    megapixels = int(size.split()[0])
    if format_ == "HEIC":
        width, height = {12: (4032, 3024), 48: (8064, 6048)}[megapixels]
        return File(kind, phone_heic(width, height))
    return File(kind, encode(_scene(megapixels), format_))


_scene = cache(camera_photo)
