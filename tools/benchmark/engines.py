"""The engines in Python. Each runs in its own process, so that its peak memory can be measured."""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from time import process_time

from photos.limits import SIZES

# Photos after the first one, which loads libraries.
_PHOTOS = 2

Engine = Callable[[bytes], object]


@contextmanager
def _decoder_alone() -> Iterator[Engine]:
    """Only decode, at the smallest size that the decoder offers for the largest thumbnail."""
    from PIL import Image

    def decode(photo: bytes) -> None:
        image = Image.open(BytesIO(photo))
        scale = max(scale for scale in (1, 2, 4, 8) if scale == 1 or max(image.size) >= scale * max(SIZES))
        image.draft(None, (image.width // scale, image.height // scale))
        image.load()

    yield decode


@contextmanager
def _stock_pillow() -> Iterator[Engine]:
    """Do what Pillow's tutorial shows, with the WebP settings of all engines."""
    from PIL import Image

    def make_thumbnails(photo: bytes) -> None:
        image = Image.open(BytesIO(photo))
        for size in sorted(SIZES, reverse=True):
            image.thumbnail((size, size))
            image.save(BytesIO(), "WEBP", quality=80, method=2)

    yield make_thumbnails


@contextmanager
def _this_project() -> Iterator[Engine]:
    """Send photos to the decoder process, as the function does."""
    from photos.decoder_process import DecoderProcess

    with DecoderProcess() as decoder:
        yield decoder.make_thumbnails


ENGINES = {"decoder alone": _decoder_alone, "this project": _this_project, "stock Pillow": _stock_pillow}


def main(engine: str, path: str) -> None:
    """Measure an engine with one photo, and print CPU time in ms and peak memory in MiB as JSON.

    The peak leaves out an empty interpreter for each process. The CPU time is that of one photo, without imports. Both
    include the decoder process, whose use is known after its end. Therefore one run makes the thumbnails of a photo
    once, a second run more often, and the difference counts.
    """
    empty = _peak_mib()
    photo = Path(path).read_bytes()
    if engine != "this project":
        from photos.formats import detect_format

        detect_format(photo).load_plugin()  # otherwise, Pillow does not know HEIC
    _run(engine, photo, 1)  # loads libraries
    once, often = _run(engine, photo, 1), _run(engine, photo, 1 + _PHOTOS)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0
    print(json.dumps({"ms": 1000 * (often - once) / _PHOTOS, "mib": _peak_mib() - empty * (2 if children else 1)}))


def _run(engine: str, photo: bytes, times: int) -> float:
    """Return the CPU time in seconds."""
    start = _cpu_seconds()
    with ENGINES[engine]() as make_thumbnails:
        for _ in range(times):
            make_thumbnails(photo)
    return _cpu_seconds() - start


def _peak_mib() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if sys.platform == "darwin":
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + children) / 2**20
    status = Path("/proc/self/status").read_text()  # ru_maxrss would include the memory of the parent process
    return (int(status.partition("VmHWM:")[2].split()[0]) + children) / 1024


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime
