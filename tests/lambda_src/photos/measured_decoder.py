"""A decoder process that also reports what each file costs."""

import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from photos.decoder_process import DecoderFailed, DecoderProcess
from photos.errors import PhotoRejected
from photos.limits import SIZES
from tests.lambda_src.photos.images import open_image


class Measurement(NamedTuple):
    """What a file costs.

    Attributes:
        verdict: `thumbnails`, the code of the rejection, `crash`, or what failed.
        cpu_seconds: CPU time of the decoder process. Other systems than Linux report it only when the process ends.
        memory: Peak resident memory of the decoder process in bytes. 0 on other systems, or if the process ended.
    """

    verdict: str
    cpu_seconds: float
    memory: int


class MeasuredDecoder(DecoderProcess):
    """A decoder process that also reports what each file costs."""

    def measure(self, photo: bytes, sizes: Sequence[int] = SIZES) -> Measurement:
        """Make thumbnails, check that they are images of the right format and size, and measure."""
        process, start = self._process.pid, self._cpu_time()
        with suppress(OSError):  # https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
            Path(f"/proc/{process}/clear_refs").write_text("5")  # the peak is now the memory in use
        try:
            thumbnails = {size: open_image(webp) for size, webp in self.make_thumbnails(photo, sizes).items()}
            correct = all(image.format == "WEBP" and max(image.size) <= size for size, image in thumbnails.items())
            verdict = "thumbnails" if correct and len(thumbnails) == len(sizes) else "wrong thumbnails"
        except PhotoRejected as rejected:
            verdict = "crash" if "crashes" in rejected.reason else rejected.code
        except DecoderFailed as error:
            verdict = f"no verdict: {str(error).splitlines()[-1]}"
        memory = 0
        with suppress(OSError, StopIteration):
            status = Path(f"/proc/{process}/status").read_text().splitlines()
            memory = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
        measurement = Measurement(verdict, self._cpu_time() - start, memory)
        if memory > 200 * 2**20:  # the process keeps memory, in which the next file could hide what it takes
            self._restart()
        return measurement

    def _cpu_time(self) -> float:
        """Return the CPU time of this process and of all that ended before it, in seconds."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = children.ru_utime + children.ru_stime
        if sys.platform == "linux":
            with suppress(OSError):  # it ended
                # The clock of a process: https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
                seconds += time.clock_gettime(~self._process.pid << 3 | 2)
        return seconds
