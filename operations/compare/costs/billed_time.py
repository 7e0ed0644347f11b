"""How long functions and workers of each compute option run, and are billed, for the photos of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, get_args

from operations.compare.costs.assumptions import Assumptions
from operations.compare.costs.sizes import FunctionSize, WorkerSize
from operations.cost.idle_charges import POLLS_PER_MINUTE
from operations.cost.prices import HOURS_PER_MONTH

Option = Literal[
    "lambda",
    "lambda-image",
    "fargate",
    "fargate-on-demand",
    "ec2",
    "ec2-spot",
    "batch-hourly",
    "batch-hourly-on-demand",
    "batch-nightly",
    "batch-nightly-on-demand",
    "lightsail",
]
OPTIONS: Final[tuple[Option, ...]] = get_args(Option)

# Units of a month by key in `prices.toml`.
Items = Mapping[str, float]

DAYS_PER_MONTH: Final = HOURS_PER_MONTH / 24

SECONDS_PER_DAY: Final = 86_400
_MINIMUM_SECONDS = 60  # of a Fargate task or an EC2 instance, which are billed by the second
_POLL_SECONDS = 20  # of a worker's long polling

_RUNS_PER_DAY: Mapping[str, int] = {"batch-hourly": 24, "batch-nightly": 1}


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Workers of an option with what determines how long they run.

    Attributes:
        hourly: Units that one worker is billed for each hour it runs, by key in `prices.toml`.
        maximum: Number of workers at most.
        photos_per_worker: One more worker starts for each of so many waiting photos.
        runs_per_day: How often the workers start, if photos arrive that often.
        overhead_seconds: Billed seconds of each start in which a worker processes nothing: start-up, and idle time.
        photo_seconds: Seconds that a worker needs for a photo.
    """

    hourly: Items
    maximum: int
    photos_per_worker: float
    runs_per_day: float
    overhead_seconds: float
    photo_seconds: float

    def worker_seconds(self, photos_per_day: float) -> float:
        """Return the billed seconds of all workers together in a day.

        A worker that is still busy or idle when the next photos arrive does not stop, so no worker runs for more than
        a day. More work than the maximum can do needs more workers, which then run all day.
        """
        if not photos_per_day:
            return 0
        runs = min(self.runs_per_day, photos_per_day)
        workers = max(1, min(self.maximum, ceil(photos_per_day / runs / self.photos_per_worker)))
        work = photos_per_day * self.photo_seconds
        each = max(_MINIMUM_SECONDS, self.overhead_seconds + work / (runs * workers))
        return max(work, workers * min(runs * each, SECONDS_PER_DAY))

    def photos_per_day(self) -> float:
        """Return how many photos a day the maximum of workers can process."""
        return self.maximum * SECONDS_PER_DAY / self.photo_seconds


@dataclass(frozen=True, kw_only=True)
class FunctionUse:
    """What the thumbnail function is billed for in a month, besides the recorded units.

    Attributes:
        gb_seconds: Duration, cold starts included, times memory.
        empty_receives: Requests with which Lambda polls the empty queue.
    """

    gb_seconds: float
    empty_receives: float


def mean_batch(batch_size: int, assumptions: Assumptions) -> float:
    """Return the messages that a consumer receives at once, of at most `batch_size`."""
    return max(1, batch_size * assumptions.batch_fill)


def function_use(
    size: FunctionSize, photos_per_day: float, photo_seconds: float, assumptions: Assumptions, *, packaged: bool
) -> FunctionUse:
    """Return what the thumbnail function is billed for in a month.

    Args:
        size: The function.
        photos_per_day: Photos, which arrive in the bursts of the assumptions.
        photo_seconds: Duration of a photo in a batch.
        assumptions: What no template contains.
        packaged: Whether the function is a deployment package, which starts faster than a container image.
    """
    batch = mean_batch(size.batch_size, assumptions)
    requests = photos_per_day / batch
    milliseconds = ceil(round(batch * photo_seconds * 1000, 6))
    busy_seconds = requests * milliseconds / 1000
    bursts = min(assumptions.bursts_per_day, photos_per_day)
    environments = min(size.concurrency, ceil(requests / bursts)) if bursts else 0
    active_seconds = busy_seconds / environments if environments else 0
    # While requests follow each other all day, no environment is new.
    each = assumptions.init_seconds_lambda if packaged else assumptions.init_seconds_lambda_image
    init_seconds = bursts * environments * each if active_seconds < SECONDS_PER_DAY else 0
    idle_share = max(0, 1 - active_seconds / SECONDS_PER_DAY)
    return FunctionUse(
        gb_seconds=(busy_seconds + init_seconds) * size.memory_gb * DAYS_PER_MONTH,
        empty_receives=idle_share * POLLS_PER_MINUTE * 24 * 60 * DAYS_PER_MONTH,
    )


def fleet_of(option: Option, size: WorkerSize, photo_seconds: float, assumptions: Assumptions) -> Fleet:
    """Return the workers of an option with this size, which need so many seconds for a photo."""
    batch = option.startswith("batch")
    # As deployed, Fargate and Batch run on Spot capacity, and EC2 on On-Demand Instances.
    spot = option == "ec2-spot" if option.startswith("ec2") else not option.endswith("on-demand")
    fargate = option.startswith("fargate")
    start = assumptions.start_seconds_fargate if fargate else assumptions.start_seconds_ec2
    stop = 0 if fargate else assumptions.stop_seconds_batch if batch else assumptions.stop_seconds_ec2
    return Fleet(
        hourly=size.spot if spot else size.hourly,
        maximum=size.maximum_spot if spot else size.maximum,
        photos_per_worker=size.photos_per_worker,
        runs_per_day=_RUNS_PER_DAY[option.removesuffix("-on-demand")] if batch else assumptions.bursts_per_day,
        overhead_seconds=start + size.idle_seconds + stop,
        photo_seconds=photo_seconds,
    )


def empty_receives(worker_hours: float) -> float:
    """Return the requests of workers that receive nothing: at most one for each long polling."""
    return worker_hours * 3600 / _POLL_SECONDS
