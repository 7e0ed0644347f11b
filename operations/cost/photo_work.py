"""What a photo needs of a consumer, from the pipeline benchmark."""

from collections.abc import Iterable
from itertools import pairwise

from operations.compare.costs.model import Work
from tools.benchmark.results import PipelineResult


def photo_work(megapixels: float, batch: float, results: Iterable[PipelineResult]) -> Work:
    """Return the CPU time and the waiting time of a JPEG in a batch, on the machine that ran the benchmark.

    Between the sizes and batches of the benchmark, the work is interpolated: by megapixels, and by `1 / batch`, because
    a batch waits for its first download and its last upload once. Larger photos continue the last two sizes.

    Args:
        megapixels: Size of the photo.
        batch: Messages that the consumer receives at once.
        results: Results of the pipeline benchmark.
    """
    rows = list(results)
    threads = max(row.threads for row in rows)
    rows = [row for row in rows if row.threads == threads]
    sizes = sorted({row.megapixels for row in rows})

    def at(value: str) -> float:
        return _interpolate(
            [
                (
                    size,
                    _interpolate(
                        sorted((1 / row.batch, getattr(row, value)) for row in rows if row.megapixels == size),
                        1 / batch,
                    ),
                )
                for size in sizes
            ],
            megapixels,
        )

    cpu, billed = at("cpu_ms") / 1_000, at("billed_ms") / 1_000
    return Work(cpu_seconds=cpu, wait_seconds=max(0, billed - cpu))


def _interpolate(points: list[tuple[float, float]], x: float) -> float:
    """Return the value at x, on the line through the two nearest points. Below the first point, it is constant."""
    if x <= points[0][0] or len(points) == 1:
        return points[0][1]
    (x0, y0), (x1, y1) = next((pair for pair in pairwise(points) if x <= pair[1][0]), (points[-2], points[-1]))
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
