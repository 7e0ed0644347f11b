"""Runs the comparison: the same files through each option, one after the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, get_args

from local.console import heading, step
from local.emulator import ROOT
from operations.compare.measurement import OPTIONS, Comparison, Measurement, Option, Target
from operations.compare.measuring.files import File, count_kinds, make_files
from operations.compare.measuring.results import Verifier, read_results
from operations.compare.measuring.workload import (
    delete_results,
    modification_times,
    upload,
    wait_for_results,
    wait_until_idle,
)
from operations.errors import OperationError
from photos.keys import is_thumbnail_key
from stacks.support.settings import ThumbnailsOn

if TYPE_CHECKING:
    from local.deployment import Deployment

# The stacks that each value needs, without their dependencies. The job of `make remake` runs on the deployment of
# `lambda`.
STACKS: Final[Mapping[ThumbnailsOn, tuple[str, ...]]] = {
    "lambda": ("Thumbnails", "Batch"),
    "lambda-image": ("Thumbnails",),
    "fargate": ("Workers",),
    "ec2": ("Workers",),
}


class ComparisonTarget(Protocol):
    """Where the options run.

    Attributes:
        target: The kind of target.
        machine: As in `Comparison`.
        patience: Seconds without progress after which to stop.
    """

    target: Target
    machine: str
    patience: float

    def deployed(self, value: ThumbnailsOn, stacks: tuple[str, ...]) -> AbstractContextManager[Deployment]:
        """Deploy stacks with this value of `thumbnails_on`, and destroy them when the block ends."""
        ...

    def start(self, option: Option, deployment: Deployment) -> None:
        """Start to measure an option: what it did before does not count."""
        ...

    def measure(self, option: Option, deployment: Deployment, photos: int) -> dict[str, Any]:
        """Return the fields of `Measurement` that this target knows."""
        ...

    def environment(self, deployment: Deployment) -> Mapping[str, str]:
        """Return the environment variables with which `python -m operations` reaches a deployment."""
        ...


def compare(
    target: ComparisonTarget, count: int, values: Sequence[ThumbnailsOn] = get_args(ThumbnailsOn)
) -> Comparison:
    """Send the same files through every option.

    Args:
        target: Where the options run.
        count: Number of files.
        values: The values of `thumbnails_on` to compare.

    Returns:
        The measurements. Every result is correct, and the thumbnails of all options are byte-identical.

    Raises:
        OperationError: A photo is missing or differs, or an option failed.
        SandboxError: The sandbox failed.
    """
    heading(f"Comparison with {count:,} files for each option")
    with step("Generate the files"):
        files = make_files(count)
    verifier = Verifier(files)
    measurements: dict[Option, Measurement] = {}
    for value in values:
        heading(f"thumbnails_on={value}")
        with target.deployed(value, STACKS[value]) as deployment:
            measurements[value] = _Run(target, value, deployment, files, verifier).upload()
            if value == "lambda":
                heading("remake")
                measurements["remake"] = _Run(target, "remake", deployment, files, verifier).remake()
    return Comparison(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        target=target.target,
        machine=target.machine,
        files=count_kinds(files),
        bytes_per_photo=sum(len(file.body) for file in files.values()) / count,
        measurements={option: measurements[option] for option in OPTIONS if option in measurements},
    )


@dataclass(frozen=True)
class _Run:
    """One option, on a deployment."""

    target: ComparisonTarget
    option: Option
    deployment: Deployment
    files: Mapping[str, File]
    verifier: Verifier

    def upload(self) -> Measurement:
        """Upload the files, and measure what the consumer of the upload queue does."""
        if self.option in ("fargate", "ec2"):
            with step("Wait until the workers have scaled to zero"):
                wait_until_idle(self.option, self.deployment, patience=self.target.patience)
        self.target.start(self.option, self.deployment)
        with step("Upload the files"):
            upload(self.deployment, self.files)
        with step("Wait until each file is ready or rejected"):
            wait_for_results(self.option, self.deployment, self.files, patience=self.target.patience)
        return self._measure(min(modification_times(self.deployment, "OriginalsBucket").values()))

    def remake(self) -> Measurement:
        """Delete the results, run `make remake`, and measure what its job does."""
        with step("Delete all thumbnails and catalogue items"):
            delete_results(self.deployment)
            self.target.start(self.option, self.deployment)
            start = datetime.now(UTC).replace(microsecond=0)  # S3 rounds down, too
        name = self.deployment.stack_name("Batch").removesuffix("-Batch")
        command = [sys.executable, "-m", "operations", "-c", f"name={name}", "remake"]
        if subprocess.run(command, cwd=ROOT, env=self.target.environment(self.deployment)).returncode:
            raise OperationError("remake: the command failed for the reason above.")
        return self._measure(start)

    def _measure(self, start: datetime) -> Measurement:
        with step("Verify the results, and measure"):
            # First, because workers that wait for messages continue to call AWS.
            measured = self.target.measure(self.option, self.deployment, len(self.files))
            results = read_results(self.deployment)
            self.verifier.verify(self.option, results)
            if self.target.target == "account":
                measured |= self._times(start)
        states = [result.state for result in results.values()]
        return Measurement(
            option=self.option,
            ready=states.count("ready"),
            rejected=states.count("rejected"),
            thumbnails=sum(len(result.thumbnails) for result in results.values()),
            **measured,
        )

    def _times(self, start: datetime) -> dict[str, float]:
        """Return the times to the first and the last thumbnail, to the second."""
        written = modification_times(self.deployment, "ThumbnailsBucket")
        times = [time for key, time in written.items() if is_thumbnail_key(key)]
        return {
            "seconds_to_first": (min(times) - start).total_seconds(),
            "seconds_to_last": (max(times) - start).total_seconds(),
        }
