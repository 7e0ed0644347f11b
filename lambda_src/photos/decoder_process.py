"""A process that makes thumbnails, so that no file can crash, block, or exhaust the process that serves.

The decoder process starts once and receives one photo after the other, which keeps its memory and its libraries warm:
new memory would cost 70 ms for a 12-megapixel photo. The operating system limits its memory and the CPU time of each
photo. A photo that exceeds a limit or crashes the process is rejected, and the next one gets a new process.

Photos are in memory that both processes share. Requests and answers are in pipes, in the format of `photos/decoder.py`,
the program of the process.

Any number of threads may use one decoder process: one photo is decoded at a time, and the others wait. A restart while
other threads run is safe, because no Python code runs between fork and exec: `preexec_fn` is not used
(https://docs.python.org/3/library/subprocess.html#subprocess.Popen).
"""

import json
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from threading import TIMEOUT_MAX, Lock, Timer
from time import monotonic
from typing import IO, Any, Final, Self

from photos.decoder import write_message
from photos.errors import PhotoRejected
from photos.input_limits import check_size
from photos.limits import MAX_ADDRESS_SPACE, MAX_BYTES, MAX_CPU_SECONDS, MAX_ELAPSED_SECONDS, SIZES

# All that Python needs, and no credentials. AWS Lambda sets LD_LIBRARY_PATH to the folder of the interpreter's library.
_INHERITED: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")

# The allocator keeps freed memory for the next photo, in blocks of up to 32 MiB, the largest possible value. Otherwise,
# most formats take 7 to 18 % more CPU time. See https://man7.org/linux/man-pages/man3/mallopt.3.html
_ALLOCATOR: Final = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(2**31)}

# -S starts Python in half the time, without the module `site`. The process finds modules by the path of this one. -B
# keeps bytecode out of their folder, which can be the content of an image.
_COMMAND: Final = (sys.executable, "-S", "-B", "-c", "from photos.decoder import main; main()")

# Signals that only the code of the process itself can cause. Others, such as SIGKILL, say nothing about the photo.
_CRASHES: Final = frozenset({"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGTRAP"})


class DecoderFailed(Exception):
    """There is no verdict on the photo: our own code failed, or the machine stopped or starved the process."""


class _Doubtful(Exception):
    """A rejection whose cause could be an earlier photo, which used up or damaged the memory of the process."""

    def __init__(self, rejection: PhotoRejected) -> None:
        super().__init__(str(rejection))
        self.rejection = rejection


class DecoderProcess:
    """A process that makes the thumbnails of one photo at a time. It ends with the block, or with this object.

    Attributes:
        start_until: Time of `time.monotonic` until which a photo may start. Photos of other threads can take long.
    """

    def __init__(
        self,
        *,
        cpu_seconds: float = MAX_CPU_SECONDS,
        elapsed_seconds: float = MAX_ELAPSED_SECONDS,
        address_space: int = MAX_ADDRESS_SPACE,
    ) -> None:
        """Start the process, without waiting until it is ready.

        Args:
            cpu_seconds: Limit of CPU time for each photo.
            elapsed_seconds: Limit of elapsed time for each photo.
            address_space: Limit of the memory of the process in bytes. Only Linux enforces it.
        """
        self._cpu_seconds = cpu_seconds
        self._elapsed_seconds = elapsed_seconds
        self._address_space = address_space
        self.start_until = float("inf")
        self._lock = Lock()  # held from the copy of a photo to its verdict
        self._is_new: bool
        self._file = _memory_file(MAX_BYTES)
        self._memory = mmap.mmap(self._file.fileno(), MAX_BYTES)
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(AttributeError):  # if it was never started
            self.close()

    def close(self) -> None:
        """End the process."""
        self._stop()
        self._memory.close()
        self._file.close()

    def make_thumbnails(self, photo: bytes, sizes: Sequence[int] = SIZES) -> dict[int, bytes]:
        """Make the thumbnails of a photo, as `photos.imaging.make_thumbnails` does, within the limits.

        Raises:
            PhotoRejected: The file is not a supported image, is damaged, exceeds a limit, or crashes the decoder.
            DecoderFailed: There is no verdict. Try again later.
            TimeoutError: The photo could not start in time.
        """
        check_size(len(photo))
        if not self._lock.acquire(timeout=min(max(0, self.start_until - monotonic()), TIMEOUT_MAX)):
            raise TimeoutError("the decoder was busy until there was not enough time left")
        try:
            return self._make_thumbnails(photo, sizes)
        finally:
            self._lock.release()

    def _make_thumbnails(self, photo: bytes, sizes: Sequence[int]) -> dict[int, bytes]:
        self._memory[: len(photo)] = photo
        if self._process.poll() is not None:  # something stopped it since the last photo
            self._restart()
        cpu_seconds, start = self._cpu_seconds, monotonic()
        while True:
            is_new = self._is_new
            self._is_new = False
            try:
                return self._request({"bytes": len(photo), "sizes": list(sizes), "cpu_seconds": cpu_seconds})
            except _Doubtful as doubtful:
                self._restart()
                if is_new:
                    raise doubtful.rejection from doubtful
                # Both attempts together take at most 1.5 times the limit.
                cpu_seconds = max(self._cpu_seconds / 2, self._cpu_seconds - (monotonic() - start))

    def _start(self) -> None:
        arguments = {"address_space": self._address_space, "file": self._file.fileno()}
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._is_new = True  # until it receives a photo
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            [*_COMMAND, json.dumps(arguments)],
            env=environment | _ALLOCATOR | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._file.fileno()],
        )

    def _stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _restart(self) -> None:
        self._stop()
        self._start()

    def _request(self, request: Mapping[str, Any]) -> dict[int, bytes]:
        """Return the thumbnails of the photo in the shared memory."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests and answers
        watch = Timer(self._elapsed_seconds, self._process.kill)
        watch.start()
        try:
            with suppress(BrokenPipeError):  # the process ended, and its status is the reason
                write_message(requests, request)
            answer = json.loads(answers.readline() or "{}")
            thumbnails = {int(size): answers.read(length) for size, length in answer.get("thumbnails", {}).items()}
        except ValueError:
            answer = {}  # the process ended in the middle of a line
        finally:
            watch.cancel()
        match answer:
            case {"thumbnails": lengths} if [*map(len, thumbnails.values())] == [*lengths.values()]:
                return thumbnails
            case {"code": "too_much_memory" as code, "reason": reason}:
                raise _Doubtful(PhotoRejected(code, reason))
            case {"code": code, "reason": reason}:
                raise PhotoRejected(code, reason)
            case {"error": error}:
                raise DecoderFailed(error)
        raise self._explain_end()

    def _explain_end(self) -> Exception:
        """Return the exception for a process that ended without an answer."""
        status = self._process.wait()
        end = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        if end == "SIGPROF":
            reason = f"This photo takes more than {self._cpu_seconds:g} s of CPU time to decode."
            return PhotoRejected("too_slow", reason)
        if end in _CRASHES:
            return _Doubtful(PhotoRejected("broken", "This photo cannot be decoded: it crashes its decoder."))
        return DecoderFailed(f"The decoder process ended: {end}. A photo may take {self._elapsed_seconds:g} s.")


def _memory_file(size: int) -> IO[bytes]:
    """Return a file without a name: on Linux in memory, on other systems in the folder for temporary files."""
    file = os.fdopen(os.memfd_create("photo"), "w+b") if sys.platform == "linux" else TemporaryFile()  # noqa: SIM115
    file.truncate(size)
    return file
