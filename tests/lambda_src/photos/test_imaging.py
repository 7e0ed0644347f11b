"""What every thumbnail must be."""

import os
import subprocess
import sys

import pytest
from PIL import Image

from photos.formats import format_of
from photos.imaging import make_thumbnails
from photos.limits import SIZES
from tests.lambda_src.photos.images import HERE, PHOTOS, REAL_PHOTOS, opened, photo, sample, saved


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        ("rocket.jpg", (256, 171), (640, 427)),
        ("retina.jpg", (256, 256), (1024, 1024)),
        ("chelsea.png", (256, 170), (451, 300)),
        ("coffee-turned.jpg", (256, 171), (600, 400)),
    ],
)
def test_fits_the_square_and_is_never_enlarged(name: str, small: tuple[int, int], large: tuple[int, int]) -> None:
    thumbnails = make_thumbnails(photo(name))
    assert {size: opened(made).size for size, made in thumbnails.items()} == {256: small, 1024: large}
    assert all(opened(made).format == "WEBP" for made in thumbnails.values())


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 65_535), (65_535, 1), (30_000, 2), (4_001, 2_999)])
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_odd_shapes_keep_their_shape(size: tuple[int, int], format_: str) -> None:
    if format_ == "JPEG" and max(size) > 65_500:
        pytest.skip("Pillow writes no JPEG this long")
    made = make_thumbnails(saved(Image.new("RGB", size, "teal"), format_))
    for side, thumbnail in made.items():
        scale = min(1, side / max(size))
        assert opened(thumbnail).size == tuple(max(1, round(edge * scale)) for edge in size)


def test_has_no_metadata_left() -> None:
    original = opened(photo("coffee-turned.jpg"))
    assert original.getexif().get_ifd(0x8825), "the sample carries a GPS position to lose"
    for name in REAL_PHOTOS:
        for made in make_thumbnails(photo(name)).values():
            assert not {"exif", "xmp", "icc_profile"} & opened(made).info.keys()
            assert not {b"EXIF", b"ICCP", b"XMP "} & {made[i : i + 4] for i in range(12, 64)}


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIC"])
def test_loses_the_position_of_each_format(format_: str) -> None:
    turned = opened(photo("coffee-turned.jpg"))
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    known = {"exif": turned.getexif(), "xmp": xmp, "comment": b"at home"}
    original = sample("rocket-tiles.heic") if format_ == "HEIC" else saved(turned, format_, **known)
    format_of(original).load_plugin()
    assert opened(original).getexif().get_ifd(0x8825), "there is a position to lose"
    for made in make_thumbnails(original).values():
        assert not {"exif", "xmp", "icc_profile", "comment"} & opened(made).info.keys()
        assert not opened(made).getexif()
        assert made[12:16] == b"VP8 "  # the simple kind, which cannot have any metadata


def test_same_bytes_in_same_bytes_out() -> None:
    assert make_thumbnails(photo("retina.jpg")) == make_thumbnails(photo("retina.jpg"))


def test_any_sizes_in_any_order() -> None:
    assert SIZES == (256, 1024)
    assert {size: opened(made).size for size, made in make_thumbnails(photo("rocket.jpg"), [64, 300]).items()} == {
        64: (64, 43),
        300: (300, 200),
    }


def test_loads_only_the_decoder_it_needs() -> None:
    code = """
import sys
from photos.formats import format_of
from photos.imaging import make_thumbnails
make_thumbnails(open(sys.argv[1], "rb").read())
needless = {"PIL.ImageCms", "PIL.ImageFont", "PIL.AvifImagePlugin", "PIL.EpsImagePlugin", "pi_heif", "numpy"}
print(*needless & sys.modules.keys())
"""
    path = str(PHOTOS / "retina.jpg")
    out = subprocess.run(
        [sys.executable, "-c", code, path],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": "lambda_src"},
        cwd=HERE.parents[2],
    )
    assert out.stdout.strip() == ""
