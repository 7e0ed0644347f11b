"""What a container image is built from: its folder in `containers/`, and with it the domain where its program uses it.

Docker sees nothing outside the folder that it is given. With the whole repository for that folder, each edit of a
test would build the images anew, and the next file with a secret in it would be one forgotten line away from being
sent along. So each image gets a folder of just its parts, which `python -m stacks.image_source album` prints.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

from stacks.support import build_cache
from stacks.support.build_cache import files_in, made_once

ROOT = Path(__file__).parents[2]
CONTAINERS = ROOT / "containers"
CACHE = ROOT / ".cache" / "images"

# Folders in `lambda_src/` that programs in images import as well.
_SHARED = {"album": ["photos"]}


def image_source(container: str) -> Path:
    """The folder to build the image `containers/<container>` from. The same content has the same path."""
    parts = {file: file.relative_to(CONTAINERS / container) for file in files_in(CONTAINERS / container)}
    for shared in _SHARED.get(container, []):
        parts |= {file: file.relative_to(ROOT / "lambda_src") for file in files_in(ROOT / "lambda_src" / shared)}
    digest = hashlib.sha256(Path(build_cache.__file__).read_bytes())  # how it is made is part of what it is
    for file, place in parts.items():
        digest.update(f"{place.as_posix()}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return made_once(CACHE / f"{container}-{digest.hexdigest()[:16]}", lambda work: _copy(parts, work))


def _copy(parts: dict[Path, Path], work: Path) -> None:
    for file, place in parts.items():
        (work / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, work / place)


def main() -> None:
    """Print the folder that an image is built from."""
    parser = argparse.ArgumentParser(prog="python -m stacks.support.build_context", description=main.__doc__)
    images = sorted(dockerfile.parent.name for dockerfile in CONTAINERS.glob("*/Dockerfile"))
    parser.add_argument("container", choices=images, help="folder in containers/")
    print(image_source(parser.parse_args().container))


if __name__ == "__main__":
    main()
