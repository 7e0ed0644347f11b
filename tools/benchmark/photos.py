"""The photos to measure with: the same scene in every format, generated from a sample."""

import random
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tools.benchmark import BenchmarkError

ROOT = Path(__file__).parents[2]
PILLOW_HEIF = "pillow-heif==1.8.1"  # its HEIC encoder is under the GPL, so it is installed for one run only

_FORMATS: dict[str, tuple[str, dict[str, object]]] = {
    "JPEG": ("JPEG", {"quality": 90}),
    "progressive JPEG": ("JPEG", {"quality": 90, "progressive": True}),
    "PNG": ("PNG", {"compress_level": 6}),
    "WebP": ("WEBP", {"quality": 85, "method": 2}),
    "AVIF": ("AVIF", {"quality": 70, "speed": 9}),
    "GIF": ("GIF", {}),
    "TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", {}),
}
_WRITE_HEIC = """
import sys, pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
Image.open(sys.argv[1]).save(sys.argv[2], "HEIF", quality=80)
"""


def write_photos(folder: Path, megapixels: float) -> dict[str, Path]:
    """Write one photo for each format.

    Args:
        folder: Existing folder for the files.
        megapixels: Size of each photo, with the shape 4:3.

    Returns:
        The files by format.

    Raises:
        BenchmarkError: The HEIC encoder cannot be installed.
    """
    scene = _camera_photo(megapixels)
    photos = {name: folder / name for name in [*_FORMATS, "HEIC"]}
    for name, (format_, options) in _FORMATS.items():
        scene.save(photos[name], format_, **options)
    encoder = folder / "pillow-heif"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    if subprocess.run([*install, f"--target={encoder}", PILLOW_HEIF], capture_output=True).returncode:
        raise BenchmarkError(f"HEIC cannot be measured: pip cannot install {PILLOW_HEIF}, its encoder")
    program = f"import sys; sys.path.insert(0, {str(encoder)!r}){_WRITE_HEIC}"
    subprocess.run([sys.executable, "-c", program, photos["BMP"], photos["HEIC"]], check=True)
    return photos


def _camera_photo(megapixels: float) -> Image.Image:
    """An image like that of a camera: large shapes, fine detail, and some noise."""
    width, height = int((megapixels * 1e6 * 4 / 3) ** 0.5), int((megapixels * 1e6 * 3 / 4) ** 0.5)
    small = Image.open(ROOT / "samples" / "rocket.jpg").convert("RGB")
    large, detail = small.resize((width, height), Image.Resampling.BICUBIC), Image.new("RGB", (width, height))
    noise = Image.frombytes("RGB", small.size, random.Random(1).randbytes(3 * small.width * small.height))
    tile = Image.blend(small, noise, 0.15)
    for left in range(0, width, tile.width):
        for top in range(0, height, tile.height):
            detail.paste(tile, (left, top))
    scene = Image.blend(large, detail, 0.35)
    scene.info = {}  # without the ICC profile of the sample
    return scene
