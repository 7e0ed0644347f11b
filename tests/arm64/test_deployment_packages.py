"""Deployment packages run on Python 3.13 for arm64, the platform of the functions, and give the same bytes as here."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from photos.formats import FORMATS
from stacks.support.deployment_package import build_deployment_package
from tests.arm64.conftest import CPU
from tests.lambda_src.photos.images import encode, open_image, sample
from tests.stacks.support.test_deployment_package import FUNCTIONS, handler_environment
from tests.stub_programs import write_programs

pytestmark = pytest.mark.slow

# -I and -S: nothing but the standard library and the package is on the module path.
_ISOLATED = ["-I", "-S", "-c"]

# Makes thumbnails in this process and in a decoder process, which starts `sys.executable` again.
_THUMBNAILS = """
import hashlib, json, pathlib, sys
package, sys.executable, *photos = sys.argv[1:]
sys.path.insert(0, package)
from photos.decoder_process import DecoderProcess
from photos.imaging import make_thumbnails
digests = {}
with DecoderProcess() as process:
    for photo in photos:
        data = pathlib.Path(photo).read_bytes()
        made = make_thumbnails(data)
        assert process.make_thumbnails(data) == made, photo
        digests[photo] = {size: hashlib.sha256(webp).hexdigest() for size, webp in made.items()}
print(json.dumps(digests))
"""


@pytest.fixture(scope="session")
def python(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An executable that runs Python for arm64."""
    folder = tmp_path_factory.mktemp("python")
    script = f'exec qemu-aarch64-static -cpu {CPU} -L {root} {root}/usr/bin/python3.13 "$@"'
    write_programs(folder, {"python": script})
    return folder / "python"


def _run(python: str | Path, program: str, *arguments: str | Path, **environment: str) -> str:
    path = {"PATH": os.environ["PATH"], "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    run = subprocess.run(
        [python, *_ISOLATED, program, *arguments], env=path | environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler_imports_on_arm64(function: str, python: Path, record_property: Callable[[str, object], None]) -> None:
    package = build_deployment_package(function, target="aws").folder
    program = f"import platform, sys; sys.path.insert(0, sys.argv[1]); import {function}.handler; "
    program += "print(platform.machine(), *sys.version_info[:2])"
    assert _run(python, program, package, **handler_environment(function)).split() == ["aarch64", "3", "13"]
    record_property("arm64", f"{function}: the handler imports from its package alone")


def _photos() -> dict[str, bytes]:
    """Return a photo in each supported format, by its name."""
    photo = open_image(sample("coffee-turned.jpg")).convert("RGB")
    frames: dict[str, Any] = {"save_all": True, "append_images": [photo.rotate(180)]}
    return {
        "progressive JPEG": encode(photo, "JPEG", progressive=True),
        "JPEG": sample("retina.jpg"),
        "AVIF": encode(photo, "AVIF"),
        "HEIC": sample("coffee-turned.heic"),
        "PNG": sample("chelsea.png"),
        "animated WebP": encode(photo, "WEBP", **frames),
        "WebP": encode(photo, "WEBP"),
        "GIF": encode(photo.quantize(), "GIF"),
        "TIFF": encode(photo, "TIFF", compression="tiff_lzw"),
        "BMP": encode(photo, "BMP"),
    }


def test_thumbnails_have_the_same_bytes_on_arm64(
    python: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    photos = _photos()
    assert photos.keys() == {format_.name for format_ in FORMATS}
    assert all(Image.open(BytesIO(photo)).format for photo in photos.values() if photo is not photos["HEIC"])
    for name, photo in photos.items():
        (tmp_path / name).write_bytes(photo)
    files = [tmp_path / name for name in photos]
    arm64 = build_deployment_package("thumbnail", target="aws").folder
    here = build_deployment_package("thumbnail", target="local").folder
    made = json.loads(_run(python, _THUMBNAILS, arm64, python, *files))
    assert made == json.loads(_run(sys.executable, _THUMBNAILS, here, sys.executable, *files))
    assert all(made.values())
    record_property("arm64", f"thumbnail: {', '.join(photos)}: same bytes as x86_64, also from the decoder process")
