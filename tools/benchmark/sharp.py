"""sharp, the image library of node: in a process that lives as long as the benchmark, or in a fresh one."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "0.35.5"


class Sharp:
    """A running process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def measured(self, photo: Path, sizes: tuple[int, ...], *, once: bool) -> dict[str, float] | None:
        """What the thumbnails of `photo` take: "ms" of CPU time, and the "MiB" that the process had at its peak.

        once: decode the photo once for all sizes, not once for each
        None for what sharp cannot read (BMP, HEIC).
        """
        assert self._process.stdin and self._process.stdout
        request = {"path": str(photo), "sizes": sorted(sizes, reverse=True), "once": once}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer: dict[str, float] | None = json.loads(self._process.stdout.readline())
        return answer


def is_fetched(folder: Path) -> bool:
    """Fetch it from npm into `folder`, and say whether that was possible."""
    if not shutil.which("npm") or not shutil.which("node"):
        return False
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", f"--prefix={folder}", f"sharp@{VERSION}"]
    return subprocess.run(install, capture_output=True, check=False).returncode == 0


@contextmanager
def running(folder: Path) -> Iterator[Sharp]:
    """A fresh process of what was fetched into `folder`."""
    script = str(Path(__file__).with_suffix(".cjs"))
    process = subprocess.Popen(["node", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield Sharp(process)
        assert process.stdin
        process.stdin.close()  # which ends it
