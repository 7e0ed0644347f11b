"""Memory and time of the photos that need most of both: measured, and what that makes of the largest accepted ones."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.pictures import Hardest
from photos.formats import FORMATS
from photos.limits import MAX_BYTES

LAMBDA_SRC = Path(__file__).parent.parent / "lambda_src"

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
from photos import imaging
imaging.MAX_BYTES = 2**40
with open(sys.argv[1], "rb") as file:
    photo = file.read()
start = process_time()
imaging.make_thumbnails(photo)
children = resource.getrusage(resource.RUSAGE_CHILDREN)  # where HEIC is read; the first few MiB count twice
largest = max(peak(), children.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024))
print(largest - before, process_time() - start + children.ru_utime + children.ru_stime)
"""

Row = dict[str, float | str]


def measure(photos: Iterable[Hardest]) -> list[Row]:
    """A row for each photo."""
    return [_row(photo) for photo in photos]


def peak(photo: Path) -> float:
    """MiB over an empty interpreter that a fresh process needs for `photo`."""
    return _measured(photo)[0]


def _row(photo: Hardest) -> Row:
    mebibytes, seconds = _measured(photo.path)
    kind = next(known for known in FORMATS if known.name == photo.format)
    limit = kind.limit("RGBA" if photo.clear else "RGB") / 1e6
    file = photo.path.stat().st_size / 2**20
    times = limit / photo.megapixels
    return {
        "format": photo.format,
        "kind": photo.kind,
        "megapixels": photo.megapixels,
        "MiB": mebibytes,
        "bytes a pixel": (mebibytes - file) * 2**20 / photo.megapixels / 1e6,
        "seconds": seconds,
        "limit in megapixels": limit,
        "MiB at the limit": (mebibytes - file) * times + MAX_BYTES / 2**20,
        "seconds at the limit": seconds * times,
    }


def _measured(photo: Path) -> tuple[float, float]:
    environment = os.environ | {"PYTHONPATH": str(LAMBDA_SRC)}
    run = [sys.executable, "-c", _PROGRAM, str(photo)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, env=environment)
    mebibytes, seconds = map(float, done.stdout.split())
    return mebibytes, seconds
