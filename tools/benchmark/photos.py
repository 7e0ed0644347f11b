"""The photos to measure with: the same scene in every format."""

import subprocess
import sys
from pathlib import Path

from tools.benchmark import BenchmarkError
from tools.photos import ENCODINGS, camera_photo, encode

PILLOW_HEIF = "pillow-heif==1.8.1"  # its HEIC encoder is under the GPL, so it is installed for one run only

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
    scene = camera_photo(megapixels)
    photos = {name: folder / name for name in [*ENCODINGS, "HEIC"]}
    for name in ENCODINGS:
        photos[name].write_bytes(encode(scene, name))
    encoder = folder / "pillow-heif"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
    if subprocess.run([*install, f"--target={encoder}", PILLOW_HEIF], capture_output=True).returncode:
        raise BenchmarkError(f"HEIC cannot be measured: pip cannot install {PILLOW_HEIF}, its encoder")
    program = f"import sys; sys.path.insert(0, {str(encoder)!r}){_WRITE_HEIC}"
    subprocess.run([sys.executable, "-c", program, photos["BMP"], photos["HEIC"]], check=True)
    return photos
