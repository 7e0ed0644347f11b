"""The engines in Python. Each runs in its own process, so that its peak memory can be measured."""

import json
import resource
import sys
from io import BytesIO
from pathlib import Path
from time import process_time

from photos.limits import SIZES


def _decoder_alone(photo: bytes) -> None:
    """Only decode, at the smallest size that the decoder offers for the largest thumbnail."""
    from PIL import Image

    image = Image.open(BytesIO(photo))
    scale = max(scale for scale in (1, 2, 4, 8) if scale == 1 or max(image.size) >= scale * max(SIZES))
    image.draft(None, (image.width // scale, image.height // scale))
    image.load()


def _stock_pillow(photo: bytes) -> None:
    """Do what Pillow's tutorial shows, with the WebP settings of all engines."""
    from PIL import Image

    image = Image.open(BytesIO(photo))
    for size in sorted(SIZES, reverse=True):
        image.thumbnail((size, size))
        image.save(BytesIO(), "WEBP", quality=80, method=2)


def _this_project(photo: bytes) -> None:
    from photos.imaging import make_thumbnails

    make_thumbnails(photo)


ENGINES = {"decoder alone": _decoder_alone, "this project": _this_project, "stock Pillow": _stock_pillow}


def main(engine: str, path: str) -> None:
    """Measure an engine with one photo, and print CPU time in ms and peak memory in MiB as JSON.

    The peak leaves out the empty interpreter. The CPU time includes subprocesses, which decode HEIC and TIFF, and is
    that of a second run, without imports.
    """
    empty = _peak_mib()
    photo = Path(path).read_bytes()
    if engine != "this project":
        from photos.formats import detect_format

        detect_format(photo).load_plugin()  # otherwise, Pillow does not know HEIC
    ENGINES[engine](photo)
    peak = _peak_mib()
    start = _cpu_seconds()
    ENGINES[engine](photo)
    print(json.dumps({"ms": 1000 * (_cpu_seconds() - start), "mib": peak - empty}))


def _peak_mib() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if sys.platform == "darwin":
        return max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children) / 2**20
    status = Path("/proc/self/status").read_text()  # ru_maxrss would include the memory of the parent process
    return max(int(status.partition("VmHWM:")[2].split()[0]), children) / 1024


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime
