"""Sample images for the imaging tests, and functions that encode, inspect, and compare images."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from math import inf, log10
from pathlib import Path
from time import process_time

from PIL import Image, ImageChops, ImageStat

from photos.imaging import make_thumbnails
from photos.limits import MAX_CPU_SECONDS

ROOT = Path(__file__).parents[3]
PHOTOGRAPHS = ("rocket.jpg", "retina.jpg", "chelsea.png", "coffee-turned.jpg")

# For tests that compare pixels: their golden files and thresholds do not depend on the configured sizes.
SMALL, LARGE = REFERENCE_SIZES = (256, 1024)


def sample(name: str) -> bytes:
    return (ROOT / "samples" / name).read_bytes()


def open_image(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def encode(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def thumbnail(photo: bytes, side: int = SMALL, sizes: Sequence[int] = REFERENCE_SIZES) -> Image.Image:
    """Make thumbnails of several sizes and return the one of this side."""
    return open_image(make_thumbnails(photo, sizes)[side])


def four_corners(width: int = 400, height: int = 200) -> Image.Image:
    """An image whose quarters show its orientation: red, green, and below them blue, white."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image


CORNERS = ["red", "green", "blue", "white"]


def corner_colors(image: Image.Image) -> list[str]:
    """The colors in the corners, row by row from the top left; CORNERS for an upright `four_corners`."""
    image = image.convert("RGB")
    x, y = image.width - 8, image.height - 8
    return [_color_name(image.getpixel(at)) for at in ((8, 8), (x, 8), (8, y), (x, y))]


def _color_name(pixel: object) -> str:
    assert isinstance(pixel, tuple)
    bright = tuple(channel > 128 for channel in pixel)
    names = {(True, False, False): "red", (False, True, False): "green", (False, False, True): "blue"}
    return names.get(bright, "white" if all(bright) else str(pixel))


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB. At 48 dB and above, a difference is invisible."""
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    error = sum(stat.sum2) / sum(stat.count)
    return 10 * log10(255**2 / error) if error else inf


def png_chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(size: tuple[int, int], bits: int, color_type: int, rows: bytes) -> bytes:
    """A PNG with this header, for what Pillow cannot write. The pixels are not checked."""
    header = struct.pack(">IIBBBBB", *size, bits, color_type, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@contextmanager
def within_time_limit() -> Iterator[None]:
    """Assert that the code in this block takes less CPU time than any photo may."""
    start = process_time()
    yield
    assert process_time() - start < MAX_CPU_SECONDS


def run_python(program: str, *arguments: str | Path) -> str:
    """Run a program in a new interpreter that imports `photos`. Returns its output."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lambda_src")}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
