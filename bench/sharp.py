"""sharp, the image library of node, in a process that lives as long as the benchmark."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "0.35.5"


class Sharp:
    """The running process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def measured(self, photo: Path, sizes: tuple[int, ...], *, once: bool) -> float | None:
        """CPU milliseconds it takes for the thumbnails of `photo`; none for what it cannot read (BMP, HEIC).

        once: decode the photo once for all sizes, not once for each
        """
        assert self._process.stdin and self._process.stdout
        request = {"path": str(photo), "sizes": sorted(sizes, reverse=True), "once": once}
        print(json.dumps(request), file=self._process.stdin, flush=True)
        answer: float | None = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def running(folder: Path) -> Iterator[Sharp | None]:
    """sharp, fetched from npm into `folder`; none where that is not possible."""
    if not _installed(folder):
        yield None
        return
    script = str(Path(__file__).with_suffix(".cjs"))
    process = subprocess.Popen(["node", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield Sharp(process)
        assert process.stdin
        process.stdin.close()  # which ends it


def _installed(folder: Path) -> bool:
    if not shutil.which("npm") or not shutil.which("node"):
        return False
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", f"--prefix={folder}", f"sharp@{VERSION}"]
    return subprocess.run(install, capture_output=True, check=False).returncode == 0
