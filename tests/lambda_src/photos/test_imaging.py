"""The guarantees that hold for every thumbnail."""

import pytest
from PIL import Image

from photos.formats import FORMATS, detect_format
from photos.imaging import make_thumbnails
from photos.limits import CONTENT_TYPES, SIZES
from tests.lambda_src.photos.images import PHOTOGRAPHS, ROOT, encode, open_image, run_python, sample


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 65_500), (65_500, 1), (30_000, 2), (4_001, 2_999), (451, 300)])
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_thumbnail_fits_its_square_and_is_never_enlarged(size: tuple[int, int], format_: str) -> None:
    thumbnails = make_thumbnails(encode(Image.new("RGB", size, "teal"), format_))
    assert thumbnails.keys() == set(SIZES)
    for side, thumbnail in thumbnails.items():
        scale = min(1, side / max(size))
        assert open_image(thumbnail).size == tuple(max(1, round(edge * scale)) for edge in size)
        assert open_image(thumbnail).format == "WEBP"


def test_sizes_can_have_any_order_and_value() -> None:
    thumbnails = make_thumbnails(sample("rocket.jpg"), [300, 64])
    assert {side: open_image(it).size for side, it in thumbnails.items()} == {300: (300, 200), 64: (64, 43)}


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIC"])
def test_metadata_is_removed(format_: str) -> None:
    turned = open_image(sample("coffee-turned.jpg"))
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    metadata = {"exif": turned.getexif(), "xmp": xmp, "comment": b"at home"}
    photo = sample("rocket-tiles.heic") if format_ == "HEIC" else encode(turned, format_, **metadata)
    detect_format(photo).load_plugin()
    assert open_image(photo).getexif().get_ifd(0x8825), "the photo contains a GPS position"
    for thumbnail in make_thumbnails(photo).values():
        assert not {"exif", "xmp", "icc_profile", "comment"} & open_image(thumbnail).info.keys()
        assert not open_image(thumbnail).getexif()
        assert thumbnail[12:16] == b"VP8 "  # the simple file format, which cannot contain metadata


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_same_photo_gives_same_thumbnails(name: str) -> None:
    assert make_thumbnails(sample(name)) == make_thumbnails(sample(name))


def test_only_the_decoder_of_the_format_is_loaded() -> None:
    program = """
import sys
from photos.imaging import make_thumbnails
make_thumbnails(open(sys.argv[1], "rb").read())
unneeded = {"PIL.ImageCms", "PIL.ImageFont", "PIL.AvifImagePlugin", "PIL.EpsImagePlugin", "pi_heif", "numpy"}
print(*unneeded & sys.modules.keys())
"""
    assert run_python(program, ROOT / "samples" / "retina.jpg") == ""


def test_content_types_are_those_of_the_supported_formats() -> None:
    Image.init()
    heif = {"image/heic", "image/heif"}  # Pillow has no HEIF, and browsers have two names for it
    others = {Image.MIME[known.decoder] for known in FORMATS if known.decoder != "HEIF"}
    assert set(CONTENT_TYPES) == heif | others
