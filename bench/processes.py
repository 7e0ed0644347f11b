"""What only a fresh process can tell: peak of memory, and time to start."""

import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from photos.formats import FORMATS
from photos.limits import MAX_BYTES

LAMBDA_SRC = Path(__file__).parent.parent / "lambda_src"

_PEAK = """
import resource, sys
def peak():
    try:
        with open("/proc/self/status") as status:  # ru_maxrss would count the parent's memory
            return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts in bytes
before = peak()
from time import perf_counter
from photos import imaging
imaging.MAX_BYTES = 2**40
with open(sys.argv[1], "rb") as file:
    photo = file.read()
start = perf_counter()
imaging.make_thumbnails(photo)
print(peak() - before, perf_counter() - start)
"""

_CLIENT = "boto3.client('s3', region_name='eu-central-1')"
_STARTS = {
    "python": "pass",
    "boto3 and an S3 client": f"import boto3; {_CLIENT}",
    "imaging": "import photos.imaging",
    "imaging, boto3 and an S3 client": f"import photos.imaging, boto3; {_CLIENT}",
}


def memory(pictures: dict[str, tuple[str, Path]], megapixels: int) -> dict[str, dict[str, float | str]]:
    """For each format the peak over the interpreter, and what that makes of the largest photo we accept."""
    table: dict[str, dict[str, float | str]] = {}
    for name, (kind, path) in pictures.items():
        peak_mib, seconds = _peak(path)
        file = path.stat().st_size / 2**20
        limit = next(known.max_pixels for known in FORMATS if known.name == name) / 1e6
        pixels = peak_mib - file
        table[name] = {
            "worst kind": kind,
            "peak MiB": peak_mib,
            "bytes a pixel": pixels * 2**20 / megapixels / 1e6,
            "seconds": seconds,
            "limit in megapixels": limit,
            "at the limit MiB": pixels / megapixels * limit + MAX_BYTES / 2**20,
            "at the limit seconds": seconds / megapixels * limit,
        }
    return table


def peak(photo: Path) -> float:
    """MiB over an empty interpreter that a fresh process needs for `photo`."""
    return _peak(photo)[0]


def cold_start() -> dict[str, float]:
    """Milliseconds, median of 9 fresh processes each, over an empty Python."""
    taken: dict[str, list[float]] = {name: [] for name in _STARTS}
    for _ in range(9):
        for name, code in _STARTS.items():
            start = perf_counter()
            try:
                _python(code)
            except subprocess.CalledProcessError:  # boto3 is not here
                continue
            taken[name].append(1000 * (perf_counter() - start))
    medians = {name: statistics.median(times) for name, times in taken.items() if times}
    empty = medians.pop("python")
    return {name: median - empty for name, median in medians.items()}


def _peak(photo: Path) -> tuple[float, float]:
    mebibytes, seconds = map(float, _python(_PEAK, str(photo)).split())
    return mebibytes, seconds


def _python(code: str, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(LAMBDA_SRC)}
    run = [sys.executable, "-c", code, *arguments]
    return subprocess.run(run, capture_output=True, text=True, check=True, env=environment).stdout
