"""What a photo needs of a consumer, from the pipeline benchmark."""

from collections.abc import Sequence
from itertools import pairwise

from operations.compare.costs.model import Work
from tools.benchmark.results import PipelineResult


def photo_work(megapixels: float, batch: float, results: Sequence[PipelineResult]) -> Work:
    """Return the CPU time and the waiting time of a JPEG in a batch, on the machine that ran the benchmark."""
    cpu, billed = (interpolated(results, value, megapixels, batch) / 1_000 for value in ("cpu_ms", "billed_ms"))
    return Work(cpu_seconds=cpu, wait_seconds=max(0, billed - cpu))


def interpolated(results: Sequence[PipelineResult], value: str, megapixels: float, batch: float) -> float:
    """Return a value of the benchmark, with as many threads as the function has.

    Between the sizes and batches of the benchmark, it is interpolated: by megapixels, and by `1 / batch`, because a
    batch waits for its first download and its last upload once. Larger photos continue the last two sizes.

    Args:
        results: Results of the pipeline benchmark.
        value: Name of the field.
        megapixels: Size of the photo.
        batch: Messages that the consumer receives at once.
    """
    threads = max(row.threads for row in results)
    by_size: dict[float, list[tuple[float, float]]] = {}
    for row in results:
        if row.threads == threads:
            by_size.setdefault(row.megapixels, []).append((1 / row.batch, getattr(row, value)))
    return _interpolate(
        sorted((size, _interpolate(sorted(points), 1 / batch)) for size, points in by_size.items()), megapixels
    )


def _interpolate(points: list[tuple[float, float]], x: float) -> float:
    """Return the value at x, on the line through the two nearest points. Below the first point, it is constant."""
    if x <= points[0][0] or len(points) == 1:
        return points[0][1]
    (x0, y0), (x1, y1) = next((pair for pair in pairwise(points) if x <= pair[1][0]), (points[-2], points[-1]))
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
