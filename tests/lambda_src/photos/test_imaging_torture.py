"""Every unusual or malicious image in Pillow's test collection gives thumbnails or a rejection, in time.

The collection is part of Pillow's source package. The test downloads it from the package index once, and is skipped
without network.
"""

import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

import PIL
import pytest

from tests.lambda_src.photos.measured_decoder import MeasuredDecoder

pytestmark = pytest.mark.slow

CODES = {"empty", "not_a_photo", "broken", "too_many_pixels", "too_many_scans", "too_many_bytes", "too_many_parts"}


@pytest.fixture(scope="module")
def collection() -> dict[str, bytes]:
    folder = Path(tempfile.gettempdir()) / f"pillow-{PIL.__version__}-torture"
    package = folder / f"pillow-{PIL.__version__}.tar.gz"
    if not package.exists():
        wanted = [f"pillow=={PIL.__version__}", "--no-deps", "--no-binary=:all:"]
        download = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={folder}", *wanted]
        try:
            subprocess.run(download, capture_output=True, timeout=120, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"Pillow's source package is not available (offline?): {error}")
    with tarfile.open(package) as archive:
        members = [m for m in archive.getmembers() if m.isfile() and "/Tests/images/" in m.name]
        files = {m.name.partition("/Tests/images/")[2]: archive.extractfile(m) for m in members}
        return {name: file.read() for name, file in files.items() if file}


def test_every_image_is_accepted_or_rejected(collection: dict[str, bytes]) -> None:
    with MeasuredDecoder() as decoder:
        outcomes = {name: decoder.measure(photo).verdict for name, photo in collection.items()}
    assert not {name: it for name, it in outcomes.items() if it not in CODES | {"thumbnails"}}
    assert Counter(outcomes.values())["thumbnails"] > 300
    ordinary = ("hopper.jpg", "hopper.png", "hopper.webp", "hopper.gif", "hopper.bmp", "hopper.tif", "flower.jpg")
    assert {outcomes[name] for name in ordinary} == {"thumbnails"}
