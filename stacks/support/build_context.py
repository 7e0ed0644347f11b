"""Docker build contexts: the files that a container image is built from.

A build context contains the image's folder in `containers/`, `base.Dockerfile`, which names the base image, and the
packages from `lambda_src/` that the program imports. The whole repository is not the context, for two reasons: a change
of any test would rebuild the images, and a missing line in an ignore file could copy secrets into an image.

`python -m stacks.support.build_context album` prints the path of a context.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

from stacks.support import build_cache
from stacks.support.build_cache import build_once, source_files

ROOT = Path(__file__).parents[2]
CONTAINERS = ROOT / "containers"
CACHE = ROOT / ".cache" / "images"

# Packages in `lambda_src/` that the program in an image imports.
_SHARED_PACKAGES = {"album": ["photos"], "thumbnailer": ["photos", "thumbnail"]}


def build_context(container: str) -> Path:
    """Return the build context of `containers/<container>`. Equal content always has the same path."""
    files = {file: file.relative_to(CONTAINERS / container) for file in source_files(CONTAINERS / container)}
    files[CONTAINERS / "base.Dockerfile"] = Path("base.Dockerfile")
    for package in _SHARED_PACKAGES.get(container, []):
        files |= {file: file.relative_to(ROOT / "lambda_src") for file in source_files(ROOT / "lambda_src" / package)}
    digest = hashlib.sha256(Path(build_cache.__file__).read_bytes())  # sets the file modes
    for file, destination in files.items():
        digest.update(f"{destination.as_posix()}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return build_once(CACHE / f"{container}-{digest.hexdigest()[:16]}", lambda work: _copy(files, work))


def _copy(files: dict[Path, Path], work: Path) -> None:
    for file, destination in files.items():
        (work / destination).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, work / destination)


def main() -> None:
    """Print the path of an image's build context."""
    parser = argparse.ArgumentParser(prog="python -m stacks.support.build_context", description=main.__doc__)
    images = sorted(dockerfile.parent.name for dockerfile in CONTAINERS.glob("*/Dockerfile"))
    parser.add_argument("container", choices=images, help="folder in containers/")
    print(build_context(parser.parse_args().container))


if __name__ == "__main__":
    main()
