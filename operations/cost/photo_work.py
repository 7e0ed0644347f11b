"""What a photo needs of a consumer, from the pipeline benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tools.benchmark.results import PipelineResult

# The field of a result by which it is interpolated.
Size = Literal["megapixels", "photo_bytes"]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a photo needs, the mean of all photos.

    Attributes:
        cpu_seconds: CPU time on the machine that measured.
        wait_seconds: Time in which the consumer computes nothing, because it waits for calls.
    """

    cpu_seconds: float
    wait_seconds: float

    def photo_seconds(self, *, cpu_factor: float, vcpus: float) -> float:
        """Return the seconds that a consumer needs for a photo, which uses at most one vCPU.

        Args:
            cpu_factor: CPU time relative to the machine that measured.
            vcpus: vCPUs of the consumer.
        """
        return self.cpu_seconds * cpu_factor / min(1, vcpus) + self.wait_seconds


def photo_work(
    photo: float,
    batch: float,
    results: Sequence[PipelineResult],
    *,
    size: Size = "megapixels",
    threads: int | None = None,
) -> Work:
    """Return what a JPEG in a batch needs, on the machine that ran the benchmark. Arguments as `interpolated`."""
    cpu, billed = (
        interpolated(results, value, photo, batch, size=size, threads=threads) / 1_000
        for value in ("cpu_ms", "billed_ms")
    )
    return Work(cpu_seconds=cpu, wait_seconds=max(0, billed - cpu))


def interpolated(
    results: Sequence[PipelineResult],
    value: str,
    photo: float,
    batch: float,
    *,
    size: Size = "megapixels",
    threads: int | None = None,
) -> float:
    """Return a value of the benchmark.

    Between the sizes and batches of the benchmark, it is interpolated: by size, and by `1 / batch`, because a batch
    waits for its first download and its last upload once. Larger photos continue the last two sizes.

    Args:
        results: Results of the pipeline benchmark.
        value: Name of the field.
        photo: Size of the photo.
        batch: Messages that the consumer receives at once.
        size: What the size of the photo is.
        threads: Photos that the consumer processes at the same time, by default as many as the function does.
    """
    threads = threads or max(row.threads for row in results)
    by_size: dict[float, list[tuple[float, float]]] = {}
    for row in results:
        if row.threads == threads:
            by_size.setdefault(getattr(row, size), []).append((1 / row.batch, getattr(row, value)))
    return _interpolate(
        sorted((each, _interpolate(sorted(points), 1 / batch)) for each, points in by_size.items()), photo
    )


def _interpolate(points: list[tuple[float, float]], x: float) -> float:
    """Return the value at x, on the line through the two nearest points. Below the first point, it is constant."""
    if x <= points[0][0] or len(points) == 1:
        return points[0][1]
    (x0, y0), (x1, y1) = next((pair for pair in pairwise(points) if x <= pair[1][0]), (points[-2], points[-1]))
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
