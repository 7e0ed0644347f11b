"""Memory and time of the photos that need most of both: measured, and what that makes of the largest accepted ones."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from photos.formats import FORMATS
from photos.limits import MAX_BYTES
from tools.benchmark import sharp
from tools.benchmark.pictures import Hardest

LAMBDA_SRC = Path(__file__).parents[2] / "lambda_src"

_PROGRAM = """
import resource, sys
def peak():
    try:
        with open("/proc/self/status") as status:  # ru_maxrss would count the parent's memory
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts in bytes
before = peak()
from time import process_time
{imports}
with open(sys.argv[1], "rb") as file:
    photo = file.read()
start = process_time()
{work}
children = resource.getrusage(resource.RUSAGE_CHILDREN)  # where HEIC and TIFF are decoded
largest = max(peak(), children.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024))
print(largest - before, process_time() - start + children.ru_utime + children.ru_stime)
"""

# As in `make_thumbnails`, whose limits are what is to be found here.
_OURS = (
    """
from photos import formats, imaging
imaging.MAX_BYTES = 2**40
imaging.MAX_SECONDS = 60
""",
    "imaging.make_thumbnails(photo)",
)
_STOCK_PILLOW = (
    """
from io import BytesIO
from PIL import Image
from photos.formats import detect_format
Image.MAX_IMAGE_PIXELS = None
""",
    """
detect_format(photo).load_plugin()
image = Image.open(BytesIO(photo))
for size in (1024, 256):
    image.thumbnail((size, size))
    image.save(BytesIO(), "WEBP", quality=80, method=2)
""",
)

Row = dict[str, Any]


def measure(photos: Iterable[Hardest], sharp_folder: Path | None) -> list[Row]:
    """A row for each photo. `sharp_folder`: where sharp is, if it is."""
    return [_row(photo, sharp_folder) for photo in photos]


def peaks(photo: Path, sharp_folder: Path | None) -> dict[str, float]:
    """MiB over an empty interpreter, by engine, of fresh processes that make both thumbnails of `photo`."""
    return {"this project": _measured(photo, _OURS)[0]} | _of_others(photo, sharp_folder)


def _of_others(photo: Path, sharp_folder: Path | None) -> dict[str, float]:
    others = {"stock Pillow": _measured(photo, _STOCK_PILLOW)[0]}
    if sharp_folder:
        with sharp.running(sharp_folder) as fresh:
            taken = fresh.measured(photo, (256, 1024), once=True)
        others |= {"sharp, decoding once": taken["MiB"]} if taken else {}
    return others


def _row(photo: Hardest, sharp_folder: Path | None) -> Row:
    mebibytes, seconds = _measured(photo.path, _OURS)
    kind = next(known for known in FORMATS if known.name == photo.format)
    limit = kind.pixel_limit("RGBA" if photo.clear else "RGB") / 1e6
    file = photo.path.stat().st_size / 2**20
    times = limit / photo.megapixels
    return {
        "format": photo.format,
        "kind": photo.kind,
        "megapixels": photo.megapixels,
        "MiB": {"this project": mebibytes} | _of_others(photo.path, sharp_folder),
        "bytes a pixel": (mebibytes - file) * 2**20 / photo.megapixels / 1e6,
        "seconds": seconds,
        "limit in megapixels": limit,
        "MiB at the limit": (mebibytes - file) * times + MAX_BYTES / 2**20,
        "seconds at the limit": seconds * times,
    }


def _measured(photo: Path, program: tuple[str, str]) -> tuple[float, float]:
    """MiB over an empty interpreter, and CPU seconds, of a fresh process."""
    imports, work = program
    environment = os.environ | {"PYTHONPATH": str(LAMBDA_SRC)}
    run = [sys.executable, "-c", _PROGRAM.format(imports=imports, work=work), str(photo)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, env=environment)
    mebibytes, seconds = map(float, done.stdout.split())
    return mebibytes, seconds
