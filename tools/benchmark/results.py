"""The committed results of the last benchmark."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class PipelineResult:
    """How long the thumbnail function works on a photo, in a warm process on one core.

    Attributes:
        megapixels: Size of each photo.
        photo_bytes: Size of its file.
        batch: Number of photos in an invocation.
        threads: Number of photos that the function processes at the same time.
        billed_ms: Elapsed time of an invocation, rounded up to a millisecond, for each photo.
        cpu_ms: CPU time of the function and its decoder process for each photo.
        peak_mib: Highest resident memory of the function plus that of its decoder process. Pages of both count twice.
        photos_per_second: Photos in a second of billed time.
    """

    megapixels: float
    photo_bytes: int
    batch: int
    threads: int
    billed_ms: float
    cpu_ms: float
    peak_mib: float
    photos_per_second: float

    @property
    def ratio(self) -> float:
        """Billed time relative to CPU time. 1 means that the function never waits."""
        return self.billed_ms / self.cpu_ms


def read_results() -> dict[str, Any]:
    """Return all results as JSON."""
    results: dict[str, Any] = json.loads(RESULTS.read_text())
    return results


def pipeline_results(results: dict[str, Any] | None = None) -> list[PipelineResult]:
    """Return the results of the pipeline benchmark, by default the committed ones."""
    return [PipelineResult(**row) for row in (results or read_results())["pipeline"]]
