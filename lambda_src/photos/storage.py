"""The S3 buckets: originals, which clients upload, and thumbnails, which the service writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from photos.event_ordering import Upload
from photos.keys import is_thumbnail_key

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client


class OriginalDeleted(Exception):
    """The key no longer holds an object."""


class OriginalReplaced(Exception):
    """The key holds a different upload."""


@dataclass(frozen=True)
class Original:
    """An upload whose content is not read yet.

    Attributes:
        size: Bytes.
        uploaded_at: UTC.
        read: Returns the content. Call it once.
    """

    size: int
    uploaded_at: datetime
    read: Callable[[], bytes]


@dataclass(frozen=True)
class ObjectSummary:
    """An object in a listing.

    Attributes:
        key: Object key.
        etag: Without quotes.
        last_modified: UTC.
    """

    key: str
    etag: str
    last_modified: datetime


class Originals:
    """The bucket of originals."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    @contextmanager
    def open(self, key: str, upload: Upload) -> Iterator[Original]:
        """Open exactly this upload of a photo.

        Raises:
            OriginalDeleted: The key no longer holds an object.
            OriginalReplaced: The key holds a different upload.
        """
        try:
            response = self._s3.get_object(Bucket=self._bucket, Key=key, IfMatch=f'"{upload.etag}"')
        except self._s3.exceptions.ClientError as error:
            if _status(error) == 404:
                raise OriginalDeleted(key) from error
            if _status(error) == 412:
                raise OriginalReplaced(key) from error
            raise
        with closing(response["Body"]) as body:
            yield Original(response["ContentLength"], response["LastModified"], body.read)

    def exists(self, key: str) -> bool:
        """Return whether the key holds an object."""
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.ClientError as error:
            if _status(error) == 404:
                return False
            raise
        return True

    def delete(self, key: str) -> None:
        """Delete an original, if it exists. Its S3 event triggers the removal of the thumbnails and the item."""
        self._s3.delete_object(Bucket=self._bucket, Key=key)

    def list_objects(self, *, after: str = "") -> Iterator[ObjectSummary]:
        """Yield all originals behind the key `after`, sorted by the UTF-8 bytes of their keys."""
        return _list_objects(self._s3, self._bucket, after=after)

    def abort_multipart_uploads(self, *, before: datetime) -> Iterator[str]:
        """Abort the multipart uploads that began before this time, whose parts are billed, and yield their keys."""
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
            for upload in page.get("Uploads", []):
                if upload["Initiated"] < before:
                    with suppress(self._s3.exceptions.NoSuchUpload):  # completed or aborted since the listing
                        self._s3.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        yield upload["Key"]


class Thumbnails:
    """The bucket of thumbnails. It also contains albums, reports, and manifests of remakes."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def write(self, key: str, webp: bytes) -> None:
        """Store a thumbnail. Only a change of the quality changes its content, so clients may cache it for a year."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=webp,
            ContentType="image/webp",
            CacheControl="private, max-age=31536000, immutable",
        )

    def delete_all(self, keys: Iterable[str]) -> None:
        """Delete these thumbnails. Keys that hold no object are ignored."""
        for key in keys:
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def list_objects(self, *, prefix: str = "", after: str = "") -> Iterator[ObjectSummary]:
        """Yield the thumbnails with this prefix and behind the key `after`, sorted by key. Skip other objects."""
        listed = _list_objects(self._s3, self._bucket, prefix=prefix, after=after)
        return (entry for entry in listed if is_thumbnail_key(entry.key))

    def write_report(self, name: str, report: str) -> None:
        """Store a JSON report as `reports/<name>.json`."""
        self._s3.put_object(
            Bucket=self._bucket, Key=f"reports/{name}.json", Body=report.encode(), ContentType="application/json"
        )


def _list_objects(s3: S3Client, bucket: str, *, prefix: str = "", after: str) -> Iterator[ObjectSummary]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after):
        for entry in page.get("Contents", []):
            yield ObjectSummary(entry["Key"], entry["ETag"].strip('"'), entry["LastModified"])


def _status(error: ClientError) -> int:
    """Return the HTTP status of a failed call. The response to a HEAD request has no body, so no error code."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
