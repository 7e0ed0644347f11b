"""Generated photos are what their names promise."""

from io import BytesIO

import pi_heif
import pytest
from PIL import Image, ImageChops, ImageStat

from photos.imaging import make_thumbnails
from tools.photos import camera_photo, encode, phone_heic


@pytest.mark.slow
@pytest.mark.parametrize("size", [(4032, 3024), (8064, 6048)])
def test_heic_of_a_phone_has_its_size_and_becomes_a_thumbnail(size: tuple[int, int]) -> None:
    photo = phone_heic(*size)
    assert pi_heif.open_heif(BytesIO(photo)).size == size
    assert Image.open(BytesIO(make_thumbnails(photo)[256])).size == (256, 192)


def test_heic_of_a_phone_repeats_the_tiles_of_the_sample() -> None:
    image = pi_heif.open_heif(BytesIO(phone_heic(512, 1792))).to_pillow()
    first, seventh = image.crop((0, 0, 512, 768)), image.crop((0, 768, 512, 1536))
    assert max(ImageStat.Stat(ImageChops.difference(first, seventh)).mean) < 2
    assert max(ImageStat.Stat(first).stddev) > 20


def test_camera_photo_has_its_megapixels_in_every_format() -> None:
    for format_ in ("JPEG", "PNG"):
        width, height = Image.open(BytesIO(encode(camera_photo(0.3), format_))).size
        assert width * height == pytest.approx(300_000, rel=0.01)
