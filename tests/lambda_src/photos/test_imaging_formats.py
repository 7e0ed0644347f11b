"""Every supported format, in its variants."""

import pytest
from PIL import Image

from tests.lambda_src.photos.images import (
    CORNERS,
    REFERENCE_SIZES,
    corner_colors,
    encode,
    four_corners,
    png,
    psnr,
    sample,
    thumbnail,
)


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
def test_format_is_supported(format_: str, options: dict[str, object], width: int) -> None:
    photo = encode(four_corners(width, width // 2), format_, **options)
    assert [corner_colors(thumbnail(photo, side)) for side in REFERENCE_SIZES] == [CORNERS, CORNERS]


@pytest.mark.parametrize(
    ("heic", "jpeg", "similarity"),
    [
        ("coffee.heic", "coffee-turned.jpg", 28),  # dB, between two encoders and a smaller original
        ("coffee-turned.heic", "coffee-turned.jpg", 28),
        # Tiles, rotated, EXIF that repeats the rotation. Without its profile, 29.
        ("rocket-tiles.heic", "rocket.jpg", 36),
    ],
)
def test_heic_is_upright_and_in_srgb(heic: str, jpeg: str, similarity: float) -> None:
    made, expected = thumbnail(sample(heic)), thumbnail(sample(jpeg))
    assert made.size == expected.size
    assert psnr(made, expected) > similarity


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_first_frame_represents_an_animation(format_: str) -> None:
    frames = [Image.new("RGB", (400, 200), (0, 0, shade)) for shade in range(0, 250, 10)]
    photo = encode(four_corners(), format_, save_all=True, append_images=frames)
    assert corner_colors(thumbnail(photo)) == CORNERS


@pytest.mark.parametrize(
    ("format_", "mode"),
    [
        *(("PNG", mode) for mode in ("L", "P", "LA", "RGB", "RGBA", "I;16")),
        *(("TIFF", mode) for mode in ("I", "F", "I;16", "I;16B")),
    ],
)
def test_pixel_format_keeps_its_brightness(format_: str, mode: str) -> None:
    ramp = Image.linear_gradient("L").resize((600, 600))
    deep = mode.startswith("I") or mode == "F"
    image = ramp.convert("I").point(lambda value: value * 257).convert(mode) if deep else ramp.convert(mode)
    made = thumbnail(encode(image, format_)).convert("L")
    rows = [made.height // 16, made.height // 2, made.height * 15 // 16]
    assert [made.getpixel((made.width // 2, row)) for row in rows] == pytest.approx([16, 128, 240], abs=6)


def test_black_and_white_png_is_supported() -> None:
    assert corner_colors(thumbnail(encode(Image.new("1", (400, 200), 1), "PNG"))) == ["white"] * 4


@pytest.mark.parametrize(("mode", "color_type"), [("RGB", 2), ("RGBA", 6)])
def test_png_of_16_bits_per_channel_is_supported(mode: str, color_type: int) -> None:
    image = four_corners().convert(mode)
    samples = image.tobytes()
    deep = bytearray(2 * len(samples))
    deep[::2] = deep[1::2] = samples
    stride = len(deep) // image.height
    rows = b"".join(b"\0" + deep[at : at + stride] for at in range(0, len(deep), stride))
    assert corner_colors(thumbnail(png(image.size, 16, color_type, rows))) == CORNERS


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("width", [400, 3_000])
@pytest.mark.parametrize("format_", ["JPEG", "TIFF"])
@pytest.mark.parametrize("sizes", [REFERENCE_SIZES[:1], REFERENCE_SIZES])
def test_cmyk_is_not_inverted(format_: str, width: int, progressive: bool, sizes: tuple[int, ...]) -> None:
    photo = encode(four_corners(width, width // 2).convert("CMYK"), format_, progressive=progressive)
    assert corner_colors(thumbnail(photo, sizes=sizes)) == CORNERS


def rgba(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """The pixel at a position given as fractions of width and height."""
    assert image.mode == "RGBA"
    pixel = image.getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("width", [200, 1_500])
@pytest.mark.parametrize("format_", ["PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_transparency_is_kept(format_: str, width: int) -> None:
    image = Image.new("RGBA", (width, width))
    image.paste((255, 0, 0, 255), (0, 0, width // 2, width))
    made = thumbnail(encode(image, format_))
    red = rgba(made, 0.02, 0.5)
    assert red[0] > 245 and red[3] > 250
    assert rgba(made, 0.98, 0.5)[3] < 5


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_transparent_color_of_a_png_is_kept(mode: str) -> None:
    image = four_corners().quantize(4) if mode == "P" else four_corners().convert(mode)
    made = thumbnail(encode(image, "PNG", transparency=image.getpixel((399, 199))))
    assert rgba(made, 0.98, 0.95)[3] == 0
    assert rgba(made, 0.03, 0.06)[3] == 255
    assert mode == "L" or corner_colors(made)[:3] == CORNERS[:3]
