"""CPU time for one photo, as a ratio to doing nothing but decode it as small as its decoder can.

CPU time, not the clock's: others who use the machine disturb it less. And in turns, so that a busy moment hits all.
"""

import os
import resource
import statistics
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from time import process_time

from PIL import Image

from photos.formats import FORMATS
from photos.imaging import make_thumbnails
from tools.benchmark.sharp import Sharp

SIZES: dict[str, tuple[int, ...]] = {"256": (256,), "both": (256, 1024)}
ROUNDS = 7

Times = dict[str, dict[str, dict[str, float]]]  # milliseconds by format, sizes and engine


def floor(photo: bytes, sizes: tuple[int, ...]) -> None:
    """Decode, shrinking by as much as the JPEG decoder can for the largest size (8 for 256, 2 for both)."""
    image = Image.open(BytesIO(photo))
    by = 8 if max(sizes) <= 256 else 2
    image.draft(None, (image.width // by, image.height // by))
    image.load()


def floor_and_webp(photo: bytes, sizes: tuple[int, ...]) -> None:
    """That, and write the thumbnails, which come from nowhere."""
    floor(photo, sizes)
    for picture in _ready(photo, sizes):
        picture.save(BytesIO(), "WEBP", quality=80, method=2)


@cache
def _ready(photo: bytes, sizes: tuple[int, ...]) -> list[Image.Image]:
    pictures: list[Image.Image] = [
        Image.open(BytesIO(thumbnail)) for thumbnail in make_thumbnails(photo, sizes).values()
    ]
    for picture in pictures:
        picture.load()
    return pictures


def stock_pillow(photo: bytes, sizes: tuple[int, ...]) -> None:
    """What Pillow's own documentation shows: `thumbnail()`, then `save()`; WebP with the effort of all others."""
    image = Image.open(BytesIO(photo))
    for size in sorted(sizes, reverse=True):
        image.thumbnail((size, size))
        image.save(BytesIO(), "WEBP", quality=80, method=2)


def measure(pictures: Mapping[str, Path], sharp: Sharp | None) -> Times:
    """Medians of all engines for each picture."""
    for known in FORMATS:
        known.load_plugin()  # so that stock Pillow, too, reads HEIC
    return {
        name: {label: _measured(path, sizes, sharp) for label, sizes in SIZES.items()}
        for name, path in pictures.items()
    }


def _measured(path: Path, sizes: tuple[int, ...], sharp: Sharp | None) -> dict[str, float]:
    photo = path.read_bytes()
    _ready(photo, sizes)

    def of_sharp(*, once: bool) -> float | None:
        taken = sharp and sharp.measured(path, sizes, once=once)
        return taken["ms"] if taken else None

    engines: dict[str, Callable[[], float | None]] = {
        "floor": lambda: _timed(floor, photo, sizes),
        "floor and WebP": lambda: _timed(floor_and_webp, photo, sizes),
        "this project": lambda: _timed(make_thumbnails, photo, sizes),
        "stock Pillow": lambda: _timed(stock_pillow, photo, sizes),
    }
    if sharp:
        engines["sharp"] = lambda: of_sharp(once=False)
        if len(sizes) > 1:
            engines["sharp, decoding once"] = lambda: of_sharp(once=True)
    rounds = [{name: engine() for name, engine in engines.items()} for _ in range(ROUNDS + 1)]
    taken = {name: [ms for round_ in rounds[1:] if (ms := round_[name]) is not None] for name in engines}
    return {name: statistics.median(times) for name, times in taken.items() if times}


def _timed(engine: Callable[[bytes, tuple[int, ...]], object], photo: bytes, sizes: tuple[int, ...]) -> float:
    start = cpu_seconds()
    engine(photo, sizes)
    return 1000 * (cpu_seconds() - start)


def cpu_seconds() -> float:
    """Of this process and of those it started that ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # where HEIC and TIFF are decoded
    return process_time() + children.ru_utime + children.ru_stime


def on_one_core() -> None:
    """Keep this process, and what it starts, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
