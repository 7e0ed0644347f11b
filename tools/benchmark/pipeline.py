"""Measures the handler in its deployment package on one core, with S3 and DynamoDB at the distance of a region."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from hashlib import md5
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

import psutil

from stacks.support.deployment_package import build_deployment_package
from tools.benchmark import BenchmarkError, invocations
from tools.benchmark.latency_server import Latencies
from tools.benchmark.measurements import FUNCTION_ENVIRONMENT, ROOT
from tools.benchmark.results import PipelineResult
from tools.photos import camera_photo

MEGAPIXELS: Final = (1, 12, 48)
BATCHES: Final = (1, 5, 10)
_JPEG_QUALITY: Final = 96  # a photo of 12 megapixels has 4.6 MB, as a phone's has


def write_photo(folder: Path, megapixels: float) -> Path:
    """Write a JPEG as a camera writes it. Returns its path."""
    photo = folder / f"{megapixels:g}.jpg"
    camera_photo(megapixels).save(photo, quality=_JPEG_QUALITY)
    return photo


def measure_batches(
    photo: Path, megapixels: float, batch: int, latencies: Latencies, rounds: int
) -> list[PipelineResult]:
    """Measure batches of one photo: with one thread, then with the threads of the function.

    Both take turns, and the fastest round counts, because other load on this machine makes rounds only slower. The
    first batch of each process does not count.

    Raises:
        BenchmarkError: The function cannot process the photo.
    """
    with ExitStack() as stack:
        url = stack.enter_context(start_server(photo, latencies))
        functions = [stack.enter_context(start_function(url, photo, threads)) for threads in (1, None)]
        batches = [[function.invoke(batch) for function in functions] for _ in range(1 + rounds)]
        results = []
        for function, measured in zip(functions, zip(*batches[1:], strict=True), strict=True):
            billed_ms, cpu_ms = min(measured)
            results.append(
                PipelineResult(
                    megapixels=megapixels,
                    photo_bytes=photo.stat().st_size,
                    batch=batch,
                    threads=function.threads,
                    billed_ms=round(billed_ms / batch, 1),
                    cpu_ms=round(cpu_ms / batch, 1),
                    peak_mib=round(function.peak_mib()),
                    photos_per_second=round(1000 * batch / billed_ms, 2),
                )
            )
        return results


def measure_cold_start(photo: Path, latencies: Latencies, rounds: int) -> dict[str, float]:
    """Return the elapsed milliseconds until the function waits for an event (`init`), and for its first photo.

    Raises:
        BenchmarkError: The function cannot process the photo.
    """
    starts = []
    with start_server(photo, latencies) as url:
        for _ in range(rounds):
            with start_function(url, photo) as function:
                starts.append((function.init_ms, function.invoke(1)[0]))
    init, first = min(starts)
    return {"init": round(init), "first photo": first}


class Function:
    """The thumbnail function in its own process, which shares one core with its decoder process.

    Attributes:
        threads: Photos that it processes at the same time.
        init_ms: Elapsed time from the start of the process until it waits for an event.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path, photo: Path) -> None:
        """Wait until the function is ready.

        Args:
            process: The process, which runs `invocations.py`.
            log: File with its log.
            photo: The photo that the server returns for every key.
        """
        start = time.perf_counter()
        self._process = process
        self._log = log
        self._photo = {"size": photo.stat().st_size, "eTag": md5(photo.read_bytes()).hexdigest()}
        self._keys = 0
        self.threads: int = self._answer()["threads"]
        self.init_ms = 1000 * (time.perf_counter() - start)
        function = psutil.Process(process.pid)
        self._pids = [function.pid, *(decoder.pid for decoder in function.children())]

    def invoke(self, batch: int) -> tuple[float, float]:
        """Process a batch of new photos. Returns its billed milliseconds and CPU milliseconds.

        Raises:
            BenchmarkError: A photo failed, or the function ended.
        """
        assert self._process.stdin
        before = sum(map(_cpu_seconds, self._pids))
        self._process.stdin.write(json.dumps(self._event(batch)) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return answer["billed_ms"], 1000 * (sum(map(_cpu_seconds, self._pids)) - before)

    def peak_mib(self) -> float:
        """Return the sum of the peak resident memory of both processes. Pages that both use count twice."""
        status = [Path(f"/proc/{pid}/status").read_text() for pid in self._pids]
        return sum(int(text.partition("VmHWM:")[2].split()[0]) for text in status) / 1024

    def _answer(self) -> dict[str, Any]:
        """Return the next answer. Raise BenchmarkError if the function ended, or made no thumbnails of a photo."""
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or "null")
        log = self._log.read_text()
        if answer is None or log.count("processed: ready") != self._keys:
            lines = [line for line in log.splitlines() if "Error" in line or "processed: " in line]
            raise BenchmarkError(f"The pipeline cannot be measured: {lines[-1] if lines else 'the function ended'}")
        return answer

    def _event(self, batch: int) -> dict[str, Any]:
        """Return an event as the event source mapping sends it, with one message for each photo."""
        records = []
        for _ in range(batch):
            self._keys += 1
            photo = {"key": f"photos/{self._keys}.jpg", "sequencer": f"{self._keys:016X}", **self._photo}
            upload = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": photo}}
            records.append(
                {
                    "messageId": str(self._keys),
                    "receiptHandle": str(self._keys),
                    "body": json.dumps({"Records": [upload]}),
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "eventSource": "aws:sqs",
                }
            )
        return {"Records": records}


@contextmanager
def start_function(url: str, photo: Path, threads: int | None = None) -> Iterator[Function]:
    """Start the function, until the block ends.

    Args:
        url: Endpoint of all services.
        photo: The photo that the server returns for every key.
        threads: Photos to process at the same time. Default: that of the function.

    Raises:
        BenchmarkError: The function does not start.
    """
    package = build_deployment_package("thumbnail", target="local").folder
    # As in measurements.py, nothing but the package is on the module path.
    command: list[str | Path] = [sys.executable, "-I", "-S", "-B", invocations.__file__]
    command += [package, str(_core()), *([str(threads)] if threads else [])]
    environment = FUNCTION_ENVIRONMENT | {"AWS_ENDPOINT_URL": url, "UPLOAD_QUEUE_URL": f"{url}/queue"}
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        NamedTemporaryFile() as log,
        subprocess.Popen(command, env=environment, stderr=log, **pipes) as process,
    ):
        try:
            yield Function(process, Path(log.name), photo)
        finally:
            process.kill()


@contextmanager
def start_server(photo: Path, latencies: Latencies) -> Iterator[str]:
    """Serve a photo in another process until the block ends, on the other cores if there are any. Yields the URL."""
    command = [sys.executable, "-m", "tools.benchmark.latency_server", str(photo), json.dumps(asdict(latencies))]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        os.sched_setaffinity(server.pid, os.sched_getaffinity(0) - {_core()} or {_core()})
        assert server.stdout
        yield server.stdout.readline().strip()


def cores() -> int:
    """Return the number of cores that the function and the server can use."""
    return len(os.sched_getaffinity(0))


def _core() -> int:
    """Return the core of the function."""
    return max(os.sched_getaffinity(0))


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process in nanosecond resolution, which /proc/<pid>/stat does not have.

    The number of the clock is that of https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html.
    """
    return time.clock_gettime(~pid << 3 | 2)
