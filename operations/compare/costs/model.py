"""What each compute option costs by the number of photos a day: what was measured, list prices, and assumptions.

Each option has one list of billable items, `Model.items`: units of a month by key in `prices.toml`. Everything that
differs by compute is in it. What every option pays alike, requests to S3 and DynamoDB, is in `Model.shared_cost`.

The units of a photo are those of `operations/cost/recorded_usage.json`, as in a bill (`operations/cost/bill.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final, Literal

from operations.compare.costs.assumptions import Assumptions
from operations.compare.costs.billed_time import (
    DAYS_PER_MONTH,
    SECONDS_PER_DAY,
    Fleet,
    Items,
    Option,
    empty_receives,
    fleet_of,
    function_use,
    mean_batch,
)
from operations.compare.costs.sizes import Sizes, WorkerSize
from operations.compare.measurement import Comparison, Measurement
from operations.compare.measurement import Option as Measured
from operations.cost.photo_work import Work, photo_work
from operations.cost.prices import HOURS_PER_MONTH, get_price
from operations.cost.usage import RecordedUsage, Units
from operations.errors import OperationError
from stacks.support.settings import ThumbnailsOn
from tools.benchmark.results import PipelineResult, pipeline_results

MAX_PHOTOS_PER_DAY: Final = 10_000_000

_GB = 1e9

# Recorded units that every option has alike. They are also keys in `prices.toml`.
SHARED: Final = ("s3-put", "s3-get", "dynamodb-write-units", "dynamodb-read-units")
_JOB_READ_UNITS = 1  # of a photo: a job reads its item first, consistently (`photos.remake`)

# Memory of the Lightsail bundles in GB, and their vCPUs ("Lightsail pricing").
_BUNDLES = {"nano_3_0": 0.5, "micro_3_0": 1, "small_3_0": 2, "medium_3_0": 4, "large_3_0": 8}
_BUNDLE_VCPUS = 2


@dataclass(frozen=True, kw_only=True)
class Model:
    """Costs in US dollars per month, in us-east-1 and before tax.

    Attributes:
        work: What a photo needs, by measured option.
        record: The billable units of a photo.
        sizes: What the templates contain.
        assumptions: What neither a run nor a template contains.
    """

    work: Mapping[Measured, Work]
    record: RecordedUsage
    sizes: Sizes
    assumptions: Assumptions

    @classmethod
    def of(
        cls,
        comparison: Comparison,
        sizes: Sizes,
        assumptions: Assumptions,
        *,
        record: RecordedUsage | None = None,
        results: Sequence[PipelineResult] | None = None,
    ) -> "Model":
        """Create the model from what a run measured.

        Args:
            comparison: The CPU time of a photo or, in an account, its billed duration.
            sizes: What the templates contain.
            assumptions: What neither a run nor a template contains.
            record: The billable units of a photo, by default those in the repository.
            results: Results of the pipeline benchmark, from which the time without computation follows, by default
                those in the repository.

        Raises:
            OperationError: The run measured neither the CPU time nor the billed duration of the function.
        """
        measurements = comparison.measurements
        batch = mean_batch(sizes.function.batch_size, assumptions)
        work = {
            option: _work(
                measured, measurements["lambda"], comparison.bytes_per_photo, batch, results or pipeline_results()
            )
            for option, measured in measurements.items()
        }
        return cls(work=work, record=record or RecordedUsage.read(), sizes=sizes, assumptions=assumptions)

    def cost(self, option: Option, photos_per_day: float, *, free_tier: bool) -> float:
        """Return US dollars per month for what differs by compute."""
        return self.charge(self.items(option, photos_per_day), free_tier=free_tier)

    def charge(self, items: Items, *, free_tier: bool) -> float:
        """Return US dollars per month for billable items, with or without the free units of an account.

        Alarms of the rest of the deployment use free units first.
        """
        rest = {"alarms": self.sizes.alarms["lambda"]}
        return sum(
            get_price(key).charge(units + rest.get(key, 0), free_tier=free_tier)
            - get_price(key).charge(rest.get(key, 0), free_tier=free_tier)
            for key, units in items.items()
        )

    def shared_cost(self, photos: float) -> float:
        """Return US dollars for the requests of so many uploads to S3 and DynamoDB, the same for every option."""
        units = self._recorded("lambda")
        return sum(get_price(key).charge(photos * units.get(key, 0) / 1e6) for key in SHARED)

    def items(self, option: Option, photos_per_day: float) -> Items:
        """Return the billable items of an option: units of a month, by key in `prices.toml`."""
        match option:
            case "lambda" | "lambda-image":
                return self._function_items(option, photos_per_day)
            case "lightsail":
                return self._lightsail_items(photos_per_day)
            case _:
                return self.fleet_items(option, self.fleet(option), photos_per_day)

    def most_photos_per_day(self, option: Option) -> float:
        """Return how many photos a day an option can process within its maximum in the templates."""
        match option:
            case "lambda" | "lambda-image":
                return self.sizes.function.concurrency * SECONDS_PER_DAY / self.photo_seconds(option)
            case "lightsail":
                return float("inf")
            case _:
                return self.fleet(option).photos_per_day()

    def photo_seconds(self, option: Option) -> float:
        """Return the seconds that one function, task, or instance needs for a photo."""
        work, assumptions = self.work[measured_option(option)], self.assumptions
        factor, vcpus = {
            "lambda": (assumptions.cpu_factor_lambda, self.sizes.function.vcpus),
            "fargate": (assumptions.cpu_factor_fargate, self.sizes.fargate.vcpus),
            "ec2": (assumptions.cpu_factor_ec2, self.sizes.ec2.vcpus),
            "batch": (assumptions.cpu_factor_ec2, self.sizes.batch.vcpus),
            "lightsail": (assumptions.cpu_factor_x86, 1),
        }[option.partition("-")[0]]
        return work.photo_seconds(cpu_factor=factor, vcpus=vcpus)

    def fleet(self, option: Option) -> Fleet:
        """Return the workers of an option."""
        size: WorkerSize = getattr(self.sizes, option.partition("-")[0])
        return fleet_of(option, size, self.photo_seconds(option), self.assumptions)

    def bundles(self) -> dict[str, float]:
        """Return the Lightsail bundles with enough memory for every accepted photo, and their photos per month."""
        assumptions, needed_gb = self.assumptions, self.sizes.ec2.memory_mib / 1024
        seconds = HOURS_PER_MONTH * 3600 / self.photo_seconds("lightsail")
        return {
            bundle: seconds * _BUNDLE_VCPUS * assumptions.lightsail_baseline_percent[bundle] / 100
            for bundle, memory_gb in _BUNDLES.items()
            if memory_gb >= needed_gb and bundle in assumptions.lightsail_baseline_percent
        }

    def fleet_items(self, option: Option, fleet: Fleet, photos_per_day: float) -> Items:
        """Return the billable items of an option with workers."""
        worker_hours = fleet.worker_seconds(photos_per_day) * DAYS_PER_MONTH / 3600
        items = {key: units * worker_hours for key, units in fleet.hourly.items()}
        items["ecr-storage"] = self.assumptions.image_gb
        if option.startswith("batch"):
            # A job lists photos, and logs one line for hundreds of them. It needs no queue and no alarms.
            return items | {"dynamodb-read-units": photos_per_day * DAYS_PER_MONTH * _JOB_READ_UNITS / 1e6}
        value: ThumbnailsOn = "fargate" if option.startswith("fargate") else "ec2"
        items["alarms"] = max(0, self.sizes.alarms[value] - self.sizes.alarms["lambda"])
        return {**items, **self._worker_items(value, photos_per_day, worker_hours)}

    def _recorded(self, value: ThumbnailsOn) -> Units:
        """Return the recorded units of an upload to the bucket, in batches of the assumed size."""
        batch = mean_batch(self.sizes.function.batch_size, self.assumptions)
        return self.record.of("upload-s3", value).units(batch)

    def _worker_items(self, value: ThumbnailsOn, photos_per_day: float, worker_hours: float) -> Items:
        """Return the requests to SQS and the log bytes of workers."""
        photos, units = photos_per_day * DAYS_PER_MONTH, self._recorded(value)
        return {
            "sqs-requests": (photos * units["sqs-requests"] + empty_receives(worker_hours)) / 1e6,
            "logs": photos * units["log-bytes/Workers"] / _GB,
        }

    def _function_items(self, option: Literal["lambda", "lambda-image"], photos_per_day: float) -> Items:
        assumptions = self.assumptions
        use = function_use(
            self.sizes.function,
            photos_per_day,
            self.photo_seconds(option),
            assumptions,
            packaged=option == "lambda",
        )
        photos, units = photos_per_day * DAYS_PER_MONTH, self._recorded(option)
        items = {
            "lambda-requests": photos * units["lambda-requests/Thumbnails"] / 1e6,
            f"lambda-{self.sizes.function.architecture}-gb-seconds": use.gb_seconds,
            "sqs-requests": (photos * units["sqs-requests"] + use.empty_receives) / 1e6,
            "logs": photos * units["log-bytes/Thumbnails"] / _GB,
        }
        return items | ({"ecr-storage": assumptions.image_gb} if option == "lambda-image" else {})

    def _lightsail_items(self, photos_per_day: float) -> Items:
        photos = photos_per_day * DAYS_PER_MONTH
        counts = {bundle: max(1, ceil(photos / most)) for bundle, most in self.bundles().items()}
        if not counts:
            raise OperationError("assumptions.toml: no bundle in [lightsail_baseline_percent] has enough memory.")
        units = {bundle: counts[bundle] * units_per_month(f"lightsail-{bundle}") for bundle in counts}
        bundle = min(counts, key=lambda it: get_price(f"lightsail-{it}").charge(units[it]))
        return {
            f"lightsail-{bundle}": units[bundle],
            "ecr-storage": self.assumptions.image_gb,
            **self._worker_items("ec2", photos_per_day, HOURS_PER_MONTH * counts[bundle]),
        }


def units_per_month(key: str) -> float:
    """Return the units that something with this price is billed for in a month: hours, or one month."""
    return HOURS_PER_MONTH if get_price(key).per == "hour" else 1


def measured_option(option: Option) -> Measured:
    """Return the measurement that an option is computed from."""
    kind = option.partition("-")[0]
    match kind:
        case "batch":
            return "remake"
        case "fargate":
            return "fargate"
        case "ec2" | "lightsail":
            return "ec2"
        case _:
            return "lambda-image" if option == "lambda-image" else "lambda"


def _work(
    measured: Measurement,
    function: Measurement,
    photo_bytes: float,
    batch: float,
    results: Sequence[PipelineResult],
) -> Work:
    if measured.cpu_seconds_per_photo is not None:
        threads = 1 if measured.option == "remake" else None  # A job processes one photo after the other.
        work = photo_work(photo_bytes, batch, results, size="photo_bytes", threads=threads)
        return replace(work, cpu_seconds=measured.cpu_seconds_per_photo)
    # In an account, AWS reports the billed duration of functions only: the other options are assumed to take as long.
    billed = measured.billed_seconds_per_photo or function.billed_seconds_per_photo
    if billed is None:
        raise OperationError(f"No CPU time and no billed duration was measured for {measured.option}.")
    return Work(cpu_seconds=0, wait_seconds=billed)
