"""Pictures to test with, and how to compare them."""

from io import BytesIO
from math import inf, log10
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

PHOTOS = Path(__file__).parents[3] / "samples"
HERE = Path(__file__).parent
REAL_PHOTOS = ("rocket.jpg", "retina.jpg", "chelsea.png", "coffee-turned.jpg")


def photo(name: str) -> bytes:
    return (PHOTOS / name).read_bytes()


def sample(name: str) -> bytes:
    return (PHOTOS / name).read_bytes()


def opened(thumbnail: bytes) -> Image.Image:
    return Image.open(BytesIO(thumbnail))


def saved(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def four_corners(width: int = 400, height: int = 200) -> Image.Image:
    """Red, green, and below blue, white: one sees at once how it is turned."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image


def corners(thumbnail: bytes) -> list[str]:
    """The colours in the corners of a thumbnail of `four_corners`, from top left by rows."""
    image = opened(thumbnail).convert("RGB")
    x, y = image.width - 8, image.height - 8
    return [_name(image.getpixel(at)) for at in ((8, 8), (x, 8), (8, y), (x, y))]


def _name(pixel: object) -> str:
    assert isinstance(pixel, tuple)
    bright = tuple(channel > 128 for channel in pixel)
    names = {(True, False, False): "red", (False, True, False): "green", (False, False, True): "blue"}
    return names.get(bright, "white" if all(bright) else str(pixel))


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Likeness in dB; from 48 on, nobody sees a difference."""
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    error = sum(stat.sum2) / sum(stat.count)
    return 10 * log10(255**2 / error) if error else inf
