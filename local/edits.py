"""Edits of the app while its sandbox runs: `make local` deploys each one when it is saved."""

from collections.abc import Iterator
from pathlib import Path

from local.emulator import ROOT

# What synthesis reads. The rest of the project does not change a deployment.
_WATCHED = ("app.py", "cdk.json", "containers", "lambda_src", "stacks")


class Edits:
    """The files of the app. Reads their times and sizes, which also works for editors that replace a file."""

    def __init__(self) -> None:
        """Start with the files as they are now."""
        self._known = self._seen = dict(_files())

    def take(self) -> list[str]:
        """Return the paths of the files that were saved since the last result, once no save followed for one call."""
        seen, self._seen = self._seen, dict(_files())
        if self._seen != seen:  # A program can still write: `git checkout`, or an editor that saves several files.
            return []
        edited = {path for path, _state in self._known.items() ^ seen.items()}
        self._known = seen
        return sorted(path.relative_to(ROOT).as_posix() for path in edited)


def _files() -> Iterator[tuple[Path, tuple[int, int]]]:
    for name in _WATCHED:
        for path in (ROOT / name, *(ROOT / name).rglob("*")):
            # Not the files in which editors keep a backup or what is not saved yet.
            if path.suffix in (".pyc", ".swp", ".tmp") or path.name.startswith((".", "#")) or path.name.endswith("~"):
                continue
            try:
                if path.is_file():
                    status = path.stat()
                    yield path, (status.st_mtime_ns, status.st_size)
            except FileNotFoundError:  # Deleted meanwhile.
                continue
