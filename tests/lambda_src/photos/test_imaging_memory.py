"""A fresh process stays small, for memory is what a function pays for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.lambda_src.photos.images import HERE, opened, photo

PEAK = """
import sys
def peak():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024
before = peak()
from photos.imaging import make_thumbnails
with open(sys.argv[1], "rb") as file:
    make_thumbnails(file.read())
print(peak() - before)
"""


def peak_over_interpreter(path: Path) -> int:
    """MiB that a new interpreter needs to import everything, read the photo and make its thumbnails."""
    run = [sys.executable, "-c", PEAK, str(path)]
    environment = os.environ | {"PYTHONPATH": "lambda_src"}
    done = subprocess.run(run, capture_output=True, check=True, env=environment, cwd=HERE.parents[2])
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak")
@pytest.mark.parametrize(
    ("format_", "mode", "megapixels", "allowed"), [("JPEG", "RGB", 48, 40), ("PNG", "RGBA", 12, 100)]
)
def test_peak_of_a_fresh_process(format_: str, mode: str, megapixels: int, allowed: int, tmp_path: Path) -> None:
    width = int((megapixels * 1e6 * 4 / 3) ** 0.5)
    picture = Image.new(mode, (width, width * 3 // 4))
    tile = opened(photo("retina.jpg"))
    for left in range(0, width, tile.width):
        for top in range(0, picture.height, tile.height):
            picture.paste(tile, (left, top))
    picture.save(tmp_path / "photo", format_, compress_level=1)
    assert peak_over_interpreter(tmp_path / "photo") <= allowed
