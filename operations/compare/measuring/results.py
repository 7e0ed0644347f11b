"""What a deployment made of the files, and whether it is correct and the same as on other compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import pi_heif
from PIL import Image, ImageOps

from local.demo.photo import verify_thumbnail
from local.errors import SandboxError
from operations.compare.measuring.files import File
from operations.errors import OperationError
from photos.limits import SIZES

if TYPE_CHECKING:
    from local.deployment import Deployment

# For uploads and downloads.
CONNECTIONS = 10


@dataclass(frozen=True)
class Result:
    """The result of a file.

    Attributes:
        state: `ready`, `rejected`, or `pending`.
        code: The code of the rejection, or None.
        thumbnails: Contents by size in pixels. None if the object does not exist.
    """

    state: str
    code: str | None
    thumbnails: Mapping[int, bytes | None]


def read_states(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the catalogue items of a deployment by object key."""
    return {item["key"]: item for item in deployment.table_items(deployment.outputs["Thumbnails"]["CatalogueTable"])}


def read_results(deployment: Deployment) -> dict[str, Result]:
    """Return the results of a deployment by object key."""
    s3, bucket = deployment.client("s3"), deployment.outputs["Thumbnails"]["ThumbnailsBucket"]

    def download(path: str) -> bytes | None:
        try:
            body: bytes = s3.get_object(Bucket=bucket, Key=path)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return None
        return body

    def read(item: Mapping[str, Any]) -> Result:
        paths = item.get("thumbnails", {})
        return Result(item["state"], item.get("code"), {int(size): download(path) for size, path in paths.items()})

    items = read_states(deployment)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(zip(items, pool.map(read, items.values()), strict=True))


class _Reference(NamedTuple):
    """The first thumbnail of a kind of file: its SHA-256, and the option and photo it is from."""

    digest: str
    source: str


class Verifier:
    """Verifies the results of one option after the other.

    The first thumbnail of each kind of file is compared with the file. Every other one must be byte-identical to it,
    whichever option made it.
    """

    def __init__(self, files: Mapping[str, File]) -> None:
        """Expect the results of these files, by object key."""
        self._files = files
        self._references: dict[tuple[str, int], _Reference] = {}  # by kind of file and size in pixels
        pi_heif.register_heif_opener()

    def verify(self, option: str, results: Mapping[str, Result]) -> None:
        """Verify the results of an option.

        Raises:
            OperationError: A result differs. The message is one line with the option, the photo, and the difference.
        """
        for key, file in self._files.items():
            for difference in self._differences(option, key, file, results.get(key)):
                raise OperationError(f"{option}: photo {key} ({file.kind}): {difference}")

    def _differences(self, option: str, key: str, file: File, result: Result | None) -> Iterator[str]:
        if result is None:
            yield "missing, because the catalogue has no item of it."
            return
        expected = ("rejected", file.code) if file.code else ("ready", None)
        if (result.state, result.code) != expected:
            yield f"expected {_state(*expected)}, but it is {_state(result.state, result.code)}."
        sizes = () if file.code else SIZES
        if sorted(result.thumbnails) != sorted(sizes):
            yield f"expected thumbnails of {list(sizes)} pixels, but it has {sorted(result.thumbnails)}."
        for size, webp in sorted(result.thumbnails.items()):
            if webp is None:
                yield f"the object of its thumbnail of {size} pixels is missing."
            elif (file.kind, size) not in self._references:
                yield from _content_differences(file, size, webp)
                self._references[file.kind, size] = _Reference(_digest(webp), f"{option}, photo {key}")
            elif _digest(webp) != (reference := self._references[file.kind, size]).digest:
                yield (
                    f"its thumbnail of {size} pixels (SHA-256 {_digest(webp)[:12]}…) differs from that of the same "
                    f"file by {reference.source} ({reference.digest[:12]}…)."
                )


def _content_differences(file: File, size: int, webp: bytes) -> Iterator[str]:
    photo = ImageOps.exif_transpose(Image.open(BytesIO(file.body))).convert("RGB")
    try:
        verify_thumbnail(photo, size, webp)
    except (SandboxError, OSError) as error:
        yield f"its thumbnail of {size} pixels does not match the file: {error}"


def _digest(webp: bytes) -> str:
    return sha256(webp).hexdigest()


def _state(state: str, code: str | None) -> str:
    return f"{state} ({code})" if code else state
