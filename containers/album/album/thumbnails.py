"""The pictures of photos: each its largest thumbnail, or the reason why there is none."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photos.catalogue import Catalogue, State

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Gap:
    """There is no picture of this photo. `reason` is a sentence for whoever looks at the album."""

    reason: str


class Pictures:
    """The catalogue, and the thumbnails it names."""

    def __init__(self, catalogue: Catalogue, s3: S3Client, bucket: str) -> None:
        self._catalogue = catalogue
        self._s3 = s3
        self._bucket = bucket

    def of(self, key: str) -> bytes | Gap:
        """The largest thumbnail of the photo under this key."""
        item = self._catalogue.get(key)
        if item is None:
            return Gap("This photo has been deleted.")
        if item.state is State.REJECTED:
            return Gap(item.reason)
        if item.state is not State.READY:
            return Gap("This photo was not uploaded yet.")
        return self._thumbnail(item.thumbnails[max(item.thumbnails)])

    def _thumbnail(self, key: str) -> bytes | Gap:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return Gap("The thumbnail of this photo is gone.")
        with closing(answer["Body"]) as body:
            return body.read()
