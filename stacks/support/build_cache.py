"""Folders under `.cache/` that are made once for what goes into them: bundles of functions, sources of images."""

import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """`folder`, filled if it is not there yet, beside its final place, so that no half-made one is ever taken."""
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=folder.parent) as parent:
        work = Path(parent) / folder.name
        work.mkdir()
        fill(work)
        # Whoever made it, with whatever umask: the CDK keeps the modes of files, and functions and containers run as
        # users who own none of this.
        for path in (work, *work.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        try:
            work.rename(folder)
        except OSError:
            if not folder.exists():  # else another process made the same one first
                raise
    return folder


def files_in(folder: Path) -> list[Path]:
    """All files, but for byte code."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
