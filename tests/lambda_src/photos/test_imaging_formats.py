"""Each format we accept, in its kinds."""

import pytest
from PIL import Image

from photos.imaging import make_thumbnails
from tests.lambda_src.photos.pictures import HERE, corners, four_corners, opened, photo, psnr, saved

CORNERS = ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"subsampling": 0, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"big_tiff": True}),
    ],
)
@pytest.mark.parametrize("width", [100, 400, 3_000])
def test_is_read(format_: str, options: dict[str, object], width: int) -> None:
    made = make_thumbnails(saved(four_corners(width, width // 2), format_, **options))
    assert corners(made[256]) == corners(made[1024]) == CORNERS


@pytest.mark.parametrize("name", ["coffee.heic", "coffee-turned.heic"])
def test_heic_is_read_and_upright(name: str) -> None:
    made = opened(make_thumbnails((HERE / "samples" / name).read_bytes())[256])
    upright = opened(make_thumbnails(photo("coffee-turned.jpg"))[256])
    assert made.size == upright.size
    assert psnr(made, upright) > 28  # two encoders and a smaller original lie between them


def test_first_picture_of_a_multi_picture_jpeg() -> None:
    many = saved(four_corners(), "MPO", save_all=True, append_images=[Image.new("RGB", (400, 200))])
    assert corners(make_thumbnails(many)[256]) == CORNERS


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_first_frame_of_an_animation(format_: str) -> None:
    frames = [Image.new("RGB", (400, 200), (0, 0, shade)) for shade in range(0, 250, 10)]
    moving = saved(four_corners(), format_, save_all=True, append_images=frames)
    assert corners(make_thumbnails(moving)[256]) == CORNERS


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png(mode: str) -> None:
    gray = Image.linear_gradient("L").resize((600, 600))
    image = gray.convert("I").point(lambda value: value * 257).convert("I;16") if mode == "I;16" else gray.convert(mode)
    made = opened(make_thumbnails(saved(image, "PNG"))[256])
    brightness = [made.convert("L").getpixel((128, row)) for row in (16, 128, 240)]
    assert mode == "1" or brightness == pytest.approx([16, 128, 240], abs=4)


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16B"])
def test_deep_tiff_is_neither_white_nor_black(mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((600, 600)).convert("I")
    image = ramp.point(lambda value: value * 257).convert(mode)
    made = opened(make_thumbnails(saved(image, "TIFF"))[256])
    assert made.convert("L").getpixel((128, 128)) == pytest.approx(128, abs=6)


def test_cmyk_is_not_inverted() -> None:
    assert corners(make_thumbnails(saved(four_corners().convert("CMYK"), "JPEG"))[256]) == CORNERS


@pytest.mark.parametrize("width", [200, 3_000])
@pytest.mark.parametrize("format_", ["PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_transparency_is_kept(format_: str, width: int) -> None:
    image = Image.new("RGBA", (width, width))
    image.paste((255, 0, 0, 255), (0, 0, width // 2, width))
    made = opened(make_thumbnails(saved(image, format_))[256])
    assert made.mode == "RGBA"
    edge = made.width - 5
    red, clear = made.getpixel((4, 99)), made.getpixel((edge, 99))
    assert isinstance(red, tuple) and isinstance(clear, tuple)
    assert red[0] > 245 and red[3] > 250
    assert clear[3] < 5


def test_transparent_colour_of_a_palette_or_rgb_png() -> None:
    for mode, colour in (("RGB", (255, 255, 255)), ("L", 255)):
        made = opened(make_thumbnails(saved(four_corners().convert(mode), "PNG", transparency=colour))[256])
        pixel = made.getpixel((250, 120))
        assert isinstance(pixel, tuple) and pixel[3] == 0
