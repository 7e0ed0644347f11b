"""Time of one photo, on one core, as a ratio to doing nothing but decode it as small as its decoder can."""

import json
import os
import statistics
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import perf_counter

from PIL import Image

from photos.imaging import make_thumbnails

SIZES = {"256": (256,), "both": (256, 1024)}
ROUNDS = 7


def floor(photo: bytes, sizes: tuple[int, ...]) -> None:
    """Decode, shrinking by as much as the JPEG decoder can for the largest size (8 for 256, 2 for both)."""
    image = Image.open(BytesIO(photo))
    by = 8 if max(sizes) <= 256 else 2
    image.draft(None, (image.width // by, image.height // by))
    image.load()


def stock_pillow(photo: bytes, sizes: tuple[int, ...]) -> None:
    """What Pillow's own documentation shows: `thumbnail()`, then `save()`."""
    image = Image.open(BytesIO(photo))
    for size in sorted(sizes, reverse=True):
        image.thumbnail((size, size))
        image.save(BytesIO(), "WEBP", quality=80)


ENGINES: dict[str, Callable[[bytes, tuple[int, ...]], object]] = {
    "floor": floor,
    "this project": make_thumbnails,
    "stock Pillow": stock_pillow,
}


def measure(pictures: dict[str, Path], sharp: Path | None) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds (medians) by format, sizes and engine. `sharp` is the folder it is in, if it is."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core, for what node starts, too
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, path in pictures.items():
        photo = path.read_bytes()
        table[name] = {}
        for label, sizes in SIZES.items():
            times: dict[str, list[float]] = {engine: [] for engine in ENGINES}
            for _ in range(ROUNDS + 1):  # in turns, so that a busy moment hits all; first to warm up
                for engine, run in ENGINES.items():
                    start = perf_counter()
                    run(photo, sizes)
                    times[engine].append(1000 * (perf_counter() - start))
            table[name][label] = {engine: statistics.median(taken[1:]) for engine, taken in times.items()}
            if sharp and (taken := _sharp(sharp, path, sizes)):
                table[name][label]["sharp"] = taken
    return table


def _sharp(folder: Path, path: Path, sizes: tuple[int, ...]) -> float | None:
    """Milliseconds that sharp takes; none for what it cannot read (BMP)."""
    script = str(Path(__file__).with_name("sharp.cjs"))
    arguments = ["node", script, str(folder), str(path), str(ROUNDS), *map(str, sizes)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return float(json.loads(done.stdout)) if done.returncode == 0 else None
