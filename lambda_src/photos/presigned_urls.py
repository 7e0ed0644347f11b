"""Signed links: they let whoever holds one do one thing with one object, for a while, with no key of his own.

The thing is done in the name of the role that signed: it holds no longer and from nowhere else than that role may.
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

# How the client that signs is to be set up. Signature version 4 everywhere, and the bucket's own regional name:
# S3 sends requests to the global one on to another address until that of a new bucket is known everywhere, and
# browsers do not follow that with a form.
PRESIGNING: Final = Config(
    signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
)

UPLOAD_FORM_SECONDS: Final = 15 * 60  # from the form to the start of its upload
URL_SECONDS: Final = 60 * 60

# So long a thumbnail has the same link, which browsers know it by in their cache.
_SAME_LINK_SECONDS: Final = 15 * 60
_LINKS_KEPT: Final = 2048  # 4 MB


class UploadForm(TypedDict):
    """An upload form: POST to `url`, as multipart/form-data, all `fields` and then the photo as `file`."""

    url: str
    fields: dict[str, str]


class PresignedUrls:
    """Signs; calls nothing. `s3`: a client made with PRESIGNING"""

    def __init__(self, s3: S3Client, *, originals: str, thumbnails: str) -> None:
        self._s3 = s3
        self._originals = originals
        self._thumbnails = thumbnails
        self._signed = lru_cache(maxsize=_LINKS_KEPT)(self._sign_thumbnail)

    def upload_form(self, key: str, *, content_type: str, size: int) -> UploadForm:
        """To upload under just this key a file of just this type and size in bytes."""
        form = self._s3.generate_presigned_post(
            self._originals,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", size, size]],
            ExpiresIn=UPLOAD_FORM_SECONDS,
        )
        return {"url": form["url"], "fields": form["fields"]}

    def thumbnail(self, key: str) -> str:
        """To read the thumbnail under this object key."""
        return self._signed(key, int(time.time()) // _SAME_LINK_SECONDS)

    def album(self, album: Album) -> str:
        """To read the PDF of this album, under its title."""
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

    def _sign_thumbnail(self, key: str, _period: int) -> str:
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._thumbnails, "Key": key}, ExpiresIn=URL_SECONDS
        )
