"""What is promised is what can be read."""

from PIL import Image

from photos.formats import FORMATS
from photos.limits import CONTENT_TYPES


def test_just_the_formats_that_are_read_may_be_announced() -> None:
    Image.init()
    heif = {"image/heic", "image/heif"}  # no name of Pillow's own, and browsers have two
    others = {Image.MIME[known.decoder] for known in FORMATS if known.decoder != "HEIF"}
    assert set(CONTENT_TYPES) == heif | others
