"""A content-addressed build cache in `.cache/`, for deployment packages and image build contexts."""

import tempfile
from collections.abc import Callable
from pathlib import Path


def build_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return `folder`. If it does not exist, fill a temporary folder first and rename it.

    Because of the rename, no process ever sees a partly filled folder.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=folder.parent) as parent:
        work = Path(parent) / folder.name
        work.mkdir()
        fill(work)
        # The CDK keeps file modes, and functions and containers run as users that do not own the files. The modes
        # must therefore not depend on the umask of the builder.
        for path in (work, *work.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        try:
            work.rename(folder)
        except OSError:
            if not folder.exists():  # otherwise another process built the same folder first
                raise
    return folder


def source_files(folder: Path) -> list[Path]:
    """Return all files below `folder` except bytecode, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
