"""What a comparison measured, and its JSON file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

# A value of the setting `thumbnails_on`, or the Batch array job of `make remake`.
Option = Literal["lambda", "lambda-image", "fargate", "ec2", "remake"]
OPTIONS: Final[tuple[Option, ...]] = get_args(Option)

# Where the options ran: in the emulator, or in an AWS account.
Target = Literal["sandbox", "account"]

RESULTS: Final = Path(__file__).with_name("results.json")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What one option did with the files of a comparison.

    Values per photo are divided by the number of all files, those that the service rejects included. A value that
    this target cannot measure is None: the sandbox measures no times, because all of its processes share one machine,
    and AWS reports CPU time of no service and peak memory of functions only.

    Attributes:
        option: The compute.
        ready: Files that have thumbnails.
        rejected: Files that the service rejected, as it should.
        thumbnails: Thumbnails that are correct, and byte-identical to those of the other options.
        calls_per_photo: AWS calls by IAM action, such as `s3:GetObject`, those with which Lambda receives messages for
            a function included. Calls that receive no message do not count, because their number depends on the time.
        cpu_seconds_per_photo: CPU time, with that of the start of the processes.
        peak_bytes: Peak memory of the process, with its decoder process, that used the most.
        seconds_to_first: From the first upload, or from the start of `make remake`, to the first thumbnail.
        seconds_to_last: From the first upload, or from the start of `make remake`, to the last thumbnail.
        billed_seconds_per_photo: Billed duration of functions.
    """

    option: Option
    ready: int
    rejected: int
    thumbnails: int
    calls_per_photo: Mapping[str, float] | None = None
    cpu_seconds_per_photo: float | None = None
    peak_bytes: int | None = None
    seconds_to_first: float | None = None
    seconds_to_last: float | None = None
    billed_seconds_per_photo: float | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The measurements of one run. Every photo of every option is correct, or there is no comparison.

    Attributes:
        date: The day of the run, in UTC (ISO 8601).
        target: Where the options ran.
        machine: The processor, system, and Python version of the sandbox, or the AWS Region of the account.
        files: Number of files by description, such as `JPEG` or `not an image`.
        bytes_per_photo: Mean size of a file.
        measurements: One for each option.
    """

    date: str
    target: Target
    machine: str
    files: Mapping[str, int]
    bytes_per_photo: float
    measurements: Mapping[Option, Measurement] = field(default_factory=dict)

    @property
    def photos(self) -> int:
        """The number of files that each option received."""
        return sum(self.files.values())

    def write(self, path: Path = RESULTS) -> None:
        """Write the comparison as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path = RESULTS) -> "Comparison":
        """Read a comparison that `write` wrote."""
        values = json.loads(path.read_text())
        measurements = {option: Measurement(**measured) for option, measured in values.pop("measurements").items()}
        return cls(**values, measurements=measurements)
