"""Uploads can declare exactly the formats that the thumbnailer supports."""

from PIL import Image

from photos.formats import FORMATS
from photos.limits import CONTENT_TYPES


def test_content_types_are_those_of_the_supported_formats() -> None:
    Image.init()
    heif = {"image/heic", "image/heif"}  # Pillow has no HEIF, and browsers have two names for it
    others = {Image.MIME[known.decoder] for known in FORMATS if known.decoder != "HEIF"}
    assert set(CONTENT_TYPES) == heif | others
