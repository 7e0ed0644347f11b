"""What is promised is what can be read."""

from PIL import Image

from photos.formats import FORMATS
from photos.limits import CONTENT_TYPES


def test_each_format_that_is_read_may_be_announced_by_its_name() -> None:
    Image.init()
    names = {Image.MIME.get(known.decoder, "image/heic") for known in FORMATS}
    assert names <= set(CONTENT_TYPES)
    # The other name of HEIC is all there is besides.
    assert set(CONTENT_TYPES) - names == {"image/heif"}
