"""The two buckets: originals, which clients fill, and thumbnails, which this service fills."""

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
    """There is no object under this key any more."""


class OriginalReplaced(Exception):
    """The key holds another upload than the one asked for."""


@dataclass(frozen=True)
class Original:
    """One upload of a photo, its bytes not read yet.

    size: bytes
    uploaded_at: UTC
    read: the bytes, once
    """

    size: int
    uploaded_at: datetime
    read: Callable[[], bytes]


@dataclass(frozen=True)
class ObjectSummary:
    """An object as a listing shows it. etag: without quotes. last_modified: UTC"""

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
        """This very upload of a photo. Raises OriginalDeleted, OriginalReplaced."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, IfMatch=f'"{upload.etag}"')
        except self._s3.exceptions.ClientError as error:
            if _status(error) == 404:
                raise OriginalDeleted(key) from error
            if _status(error) == 412:
                raise OriginalReplaced(key) from error
            raise
        with closing(answer["Body"]) as body:
            yield Original(answer["ContentLength"], answer["LastModified"], body.read)

    def exists(self, key: str) -> bool:
        """Whether any object is under this key."""
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key)
        except self._s3.exceptions.ClientError as error:
            if _status(error) == 404:
                return False
            raise
        return True

    def delete(self, key: str) -> None:
        """Remove an original; one that is not there is no error. Its event removes what was made of it."""
        self._s3.delete_object(Bucket=self._bucket, Key=key)

    def list_objects(self, *, after: str = "") -> Iterator[ObjectSummary]:
        """Every original, in the order of its key as UTF-8 bytes compare; from behind `after` on."""
        return _all(self._s3, self._bucket, after)

    def abort_multipart_uploads(self, *, before: datetime) -> Iterator[str]:
        """Abort those begun before this time, one by one; yields their keys. Their parts are paid for until then."""
        for page in self._s3.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket):
            for upload in page.get("Uploads", []):
                if upload["Initiated"] < before:
                    with suppress(self._s3.exceptions.NoSuchUpload):  # completed or aborted meanwhile
                        self._s3.abort_multipart_upload(
                            Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        yield upload["Key"]


class Thumbnails:
    """The bucket of thumbnails; albums and reports are in it too."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def write(self, key: str, webp: bytes) -> None:
        """Store a thumbnail. Its key never changes its content, so it may be cached for ever (a year)."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=webp,
            ContentType="image/webp",
            CacheControl="private, max-age=31536000, immutable",
        )

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove thumbnails; those that are not there are no error."""
        for key in keys:
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def list_objects(self, *, after: str = "") -> Iterator[ObjectSummary]:
        """Every thumbnail, and nothing else, in the order of its key; from behind `after` on."""
        return (stored for stored in _all(self._s3, self._bucket, after) if is_thumbnail_key(stored.key))

    def write_report(self, name: str, report: str) -> None:
        """Store a report in JSON as `reports/<name>.json`."""
        self._s3.put_object(
            Bucket=self._bucket, Key=f"reports/{name}.json", Body=report.encode(), ContentType="application/json"
        )


def _all(s3: S3Client, bucket: str, after: str) -> Iterator[ObjectSummary]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, StartAfter=after):
        for entry in page.get("Contents", []):
            yield ObjectSummary(entry["Key"], entry["ETag"].strip('"'), entry["LastModified"])


def _status(error: ClientError) -> int:
    """HTTP status of a failed call: the answer to a HEAD has no body to name the error in."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
