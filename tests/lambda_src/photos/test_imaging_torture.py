"""Every odd and hostile picture that Pillow's authors collected: a thumbnail or a refusal, within 5 s each.

The collection is in Pillow's source package, fetched from the package index once and kept in the temporary
folder. Without network these tests are skipped, and say so.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from time import monotonic

import PIL
import pytest

from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from photos.limits import SIZES
from tests.lambda_src.photos.images import opened

CODES = {
    "empty",
    "not_a_photo",
    "broken",
    "too_many_pixels",
    "too_many_scans",
    "too_many_bytes",
    "too_many_parts",
}


@pytest.fixture(scope="module")
def collection() -> dict[str, bytes]:
    folder = Path(tempfile.gettempdir()) / f"pillow-{PIL.__version__}-torture"
    package = folder / f"pillow-{PIL.__version__}.tar.gz"
    if not package.exists():
        wanted = [f"pillow=={PIL.__version__}", "--no-deps", "--no-binary=:all:"]
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", f"--dest={folder}", *wanted]
        try:
            fetched = subprocess.run(fetch, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("Pillow's source package did not come within 2 minutes")
        if not package.exists():
            last = fetched.stderr.strip().splitlines()[-1:]
            pytest.skip(f"Pillow's source package cannot be fetched (offline?): {last}")
    with tarfile.open(package) as archive:
        members = [m for m in archive.getmembers() if m.isfile() and "/Tests/images/" in m.name]
        files = {m.name.partition("/Tests/images/")[2]: archive.extractfile(m) for m in members}
        return {name: file.read() for name, file in files.items() if file}


def test_a_thumbnail_or_a_refusal_for_every_picture(collection: dict[str, bytes]) -> None:
    outcomes: dict[str, int] = {}
    accidents = []
    for name, picture in collection.items():
        start = monotonic()
        try:
            made = make_thumbnails(picture)
            assert made.keys() == set(SIZES)
            assert max(opened(made[256]).size) <= 256
            outcome = "thumbnail"
        except PhotoRejected as refused:
            outcome = refused.code
        except Exception as error:
            accidents.append(f"{name}: {error!r}")
            continue
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if monotonic() - start > 5:
            accidents.append(f"{name}: took {monotonic() - start:.1f} s")
    assert not accidents
    assert outcomes["thumbnail"] > 300
    assert outcomes.keys() <= CODES | {"thumbnail"}


@pytest.mark.parametrize(
    "name",
    ["hopper.jpg", "hopper.png", "hopper.webp", "hopper.gif", "hopper.bmp", "hopper.tif", "flower.jpg"],
)
def test_ordinary_pictures_are_not_refused(name: str, collection: dict[str, bytes]) -> None:
    assert make_thumbnails(collection[name])
