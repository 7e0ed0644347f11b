"""Presigned URLs and presigned POSTs: each allows one operation on one object for a limited time, without credentials.

The operation runs with the permissions of the role that signed it. A URL expires no later than the session of that
role.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypedDict
from urllib.parse import quote

from botocore.config import Config

from photos.albums import Album, pdf_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Configuration of a client that presigns: Signature Version 4, and the regional endpoint of the bucket. The global
# endpoint redirects requests to a new bucket until DNS has propagated, and browsers do not resend a form to the target.
PRESIGNING: Final = Config(
    signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
)

# Until the upload must have started. Until then, the form can be sent again, with other bytes of the same size. A
# checksum in the policy would prevent that, but browsers compute one only on pages with HTTPS (crypto.subtle).
PRESIGNED_POST_SECONDS: Final = 5 * 60
URL_SECONDS: Final = 60 * 60

# A thumbnail keeps its URL for this time, so that browsers can cache it.
_SAME_URL_SECONDS: Final = 15 * 60
_CACHED_URLS: Final = 2048  # 4 MB


class PresignedPost(TypedDict):
    """A presigned POST. Send all `fields` and then the photo as `file` to `url`, as multipart/form-data."""

    url: str
    fields: dict[str, str]


class PresignedUrls:
    """Creates presigned URLs and presigned POSTs, without calls to AWS.

    Args:
        s3: A client with the configuration PRESIGNING.
        originals: Bucket of originals.
        thumbnails: Bucket of thumbnails and albums.
    """

    def __init__(self, s3: S3Client, *, originals: str, thumbnails: str) -> None:
        self._s3 = s3
        self._originals = originals
        self._thumbnails = thumbnails
        self._presigned = lru_cache(maxsize=_CACHED_URLS)(self._presign_thumbnail)

    def presigned_post(self, key: str, *, content_type: str, size: int) -> PresignedPost:
        """Return a presigned POST that uploads a file of exactly this type and size (bytes) under exactly this key.

        It can be used repeatedly until it expires after PRESIGNED_POST_SECONDS. The last upload replaces the others.
        """
        form = self._s3.generate_presigned_post(
            self._originals,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
            ExpiresIn=PRESIGNED_POST_SECONDS,
        )
        return {"url": form["url"], "fields": form["fields"]}

    def thumbnail(self, key: str) -> str:
        """Return a URL that reads the thumbnail with this object key."""
        return self._presigned(key, int(time.time()) // _SAME_URL_SECONDS)

    def album(self, album: Album) -> str:
        """Return a URL that reads the PDF of an album, with its title as the filename."""
        name = quote(album.title, safe="")
        return self._s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._thumbnails,
                "Key": pdf_key(album.id),
                "ResponseContentDisposition": f"inline; filename*=UTF-8''{name}.pdf",
            },
            ExpiresIn=URL_SECONDS,
        )

    def _presign_thumbnail(self, key: str, _period: int) -> str:
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._thumbnails, "Key": key}, ExpiresIn=URL_SECONDS
        )
