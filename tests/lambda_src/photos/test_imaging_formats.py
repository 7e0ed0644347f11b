"""Each format we accept, in its kinds."""

import struct
import zlib

import pytest
from PIL import Image

from photos.imaging import make_thumbnails
from tests.lambda_src.photos.images import corners, four_corners, opened, photo, psnr, sample, saved

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
    made = opened(make_thumbnails(sample(name))[256])
    upright = opened(make_thumbnails(photo("coffee-turned.jpg"))[256])
    assert made.size == upright.size
    assert psnr(made, upright) > 28  # two encoders and a smaller original lie between them


def test_heic_of_a_phone_is_read_upright_and_in_srgb() -> None:
    """In tiles, lying, with Adobe RGB, and EXIF that says again that it lies."""
    made = opened(make_thumbnails(sample("rocket-tiles.heic"))[256])
    from_jpeg = opened(make_thumbnails(photo("rocket.jpg"))[256])
    assert made.size == from_jpeg.size
    assert psnr(made, from_jpeg) > 36  # without the profile 29


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


@pytest.mark.parametrize("colour_type", ["RGB", "RGBA"])
def test_png_of_16_bits_a_colour(colour_type: str) -> None:
    made = make_thumbnails(png_of_16_bits(four_corners().convert(colour_type)))
    assert corners(made[256]) == CORNERS


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("width", [400, 3_000])
@pytest.mark.parametrize("format_", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(format_: str, width: int, progressive: bool) -> None:
    picture = four_corners(width, width // 2).convert("CMYK")
    for sizes in ([256], [256, 1024]):
        made = make_thumbnails(saved(picture, format_, progressive=progressive), sizes)
        assert corners(made[256]) == CORNERS


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


@pytest.mark.parametrize(("mode", "white"), [("RGB", (255, 255, 255)), ("L", 255), ("P", 0)])
def test_transparent_colour_of_a_png(mode: str, white: object) -> None:
    picture = four_corners().quantize(4) if mode == "P" else four_corners().convert(mode)
    if mode == "P":
        white = picture.getpixel((399, 199))
    made = opened(make_thumbnails(saved(picture, "PNG", transparency=white))[256])
    red, clear = made.getpixel((8, 8)), made.getpixel((250, 120))
    assert isinstance(red, tuple) and isinstance(clear, tuple)
    assert clear[3] == 0
    assert red[3] == 255
    assert mode == "L" or corners(saved(made.convert("RGB"), "PNG"))[:3] == CORNERS[:3]


def png_of_16_bits(picture: Image.Image) -> bytes:
    """Such as Pillow reads and does not write."""
    colour_type = {"RGB": 2, "RGBA": 6}[picture.mode]
    head = struct.pack(">IIBBBBB", picture.width, picture.height, 16, colour_type, 0, 0, 0)
    samples = picture.tobytes()
    deep = bytearray(2 * len(samples))
    deep[::2] = deep[1::2] = samples
    across = len(deep) // picture.height
    rows = b"".join(b"\0" + deep[at : at + across] for at in range(0, len(deep), across))
    chunks = b"IHDR" + head, b"IDAT" + zlib.compress(rows), b"IEND"
    whole = (struct.pack(">I", len(it) - 4) + it + struct.pack(">I", zlib.crc32(it)) for it in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)
