"""A month of usage: what it is billed for in a deployment, and what it would cost at least.

Units are recorded (`usage.py`), or modeled from the pipeline benchmark, the templates, and the constants below.
"""

import local  # noqa: F401  # isort: skip  # must come first: finds the package photos

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Literal

from operations.compare.costs.assumptions import Assumptions
from operations.compare.costs.billed_time import (
    DAYS_PER_MONTH,
    Option,
    empty_receives,
    fleet_of,
    function_use,
    mean_batch,
)
from operations.compare.costs.sizes import FunctionSize
from operations.cost.deployment import Deployment
from operations.cost.floor import floor_lines
from operations.cost.line import Basis, Line
from operations.cost.photo_work import Work, interpolated, photo_work
from operations.cost.prices import HOURS_PER_MONTH
from operations.cost.usage import Action, RecordedUsage
from photos.albums import PHOTOS_PER_PAGE
from tools.benchmark.results import PipelineResult

# What neither a record, the benchmark, nor a template contains. All of it is modeled.
_API_SECONDS = 0.010  # a request: 6 ms for DynamoDB, and 0.7 ms of CPU time on x86, which are 2 ms on this function
_DELETION_SECONDS = 0.080  # the calls that a deletion makes one after the other
_SWEEP_SECONDS = 0.0003  # for each photo that a sweep compares: 40 µs of CPU time on x86, on 0.3 vCPU of Graviton
_PAGE_SECONDS = 3  # an album page: Python starts, reads 12 thumbnails, and draws
_BIND_SECONDS = 10  # an album: Python starts on a quarter of a vCPU, reads the pages, and writes the PDF
_MEAN_AGE = 0.5  # of a month: photos arrive evenly, so on average they are stored for half of their first month

_GALLERY = Path(__file__).parent.parent.parent / "containers" / "gallery" / "static"
_VIEWS_PER_CAPACITY_HOUR = 25 * 3600  # new connections of one capacity unit of a load balancer
_GB = 1e9

# Recorded units: service, item, key in `prices.toml`, and recorded units in a unit of the price.
_RECORDED: Mapping[str, tuple[str, str, str, float]] = {
    "s3-put": ("S3", "PUT and LIST requests", "s3-put", 1e6),
    "s3-get": ("S3", "GET and HEAD requests", "s3-get", 1e6),
    "dynamodb-write-units": ("DynamoDB", "write units", "dynamodb-write-units", 1e6),
    "dynamodb-read-units": ("DynamoDB", "read units", "dynamodb-read-units", 1e6),
    "sqs-requests": ("SQS", "requests with messages", "sqs-requests", 1e6),
    "lambda-requests": ("Lambda", "requests", "lambda-requests", 1e6),
    "api-requests": ("API Gateway", "requests", "api-requests", 1e6),
    "firehose-bytes": ("Firehose", "access log, per 5 KB", "firehose", _GB),
    "log-bytes": ("CloudWatch", "logs", "logs", _GB),
    "transfer-out-bytes": ("Data transfer", "out to the internet", "transfer-out", _GB),
    "s3-stored-bytes": ("S3", "storage of this month", "s3-storage", _GB / _MEAN_AGE),
    "dynamodb-stored-bytes": ("DynamoDB", "storage of this month", "dynamodb-storage", _GB / _MEAN_AGE),
}

# Recorded units that do not grow with the photos of an album or of a sweep.
_PER_REQUEST = ("api-requests", "lambda-requests", "firehose-bytes", "log-bytes/Api")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What users do in a month.

    Attributes:
        photos: Uploaded photos, JPEG files.
        albums: Requested and downloaded albums.
        album_photos: Photos of each album.
        page_views: Views of the gallery page, each with the newest photos.
        deletions: Deleted photos.
        megapixels: Size of each photo.
        photo_bytes: Size of each file. None for that of the photos of the benchmark.
        upload: Whether clients upload by the API, or to the bucket.
    """

    photos: int
    albums: int = 0
    album_photos: int = 24
    page_views: int = 0
    deletions: int = 0
    megapixels: float = 12
    photo_bytes: int | None = None
    upload: Literal["api", "s3"] = "api"


@dataclass(frozen=True)
class Month:
    """What a month of usage is billed for in a deployment."""

    usage: Usage
    deployment: Deployment
    record: RecordedUsage
    assumptions: Assumptions
    results: Sequence[PipelineResult]

    def lines(self) -> Iterator[Line]:
        """Yield all lines, without idle resources."""
        lines = [*self._recorded(), *self._consumer(), *self._functions(), *self._albums(), *self._others()]
        # In the order of the services, recorded units first.
        services = list(dict.fromkeys(line.service for line in lines))
        yield from sorted(lines, key=lambda line: services.index(line.service))

    @property
    def batch(self) -> float:
        """Messages that the consumer receives at once, on average."""
        return mean_batch(self.deployment.batch_size, self.assumptions)

    @property
    def photos_at_most(self) -> float:
        """Photos that the consumer can process in a month, within its maximum in the templates."""
        size = self.deployment.consumer
        consumers = size.concurrency if isinstance(size, FunctionSize) else size.maximum_spot
        return consumers * HOURS_PER_MONTH * 3600 / self.photo_seconds

    @property
    def photo_seconds(self) -> float:
        """Billed duration of a photo in a batch."""
        return self._seconds(self._work(self.batch))

    def floor(self) -> Iterator[Line]:
        """Yield the lines of the floor of the photos: their CPU time on the consumer of this deployment."""
        size, photos, batch = self.deployment.consumer, self.usage.photos, self.deployment.batch_size
        work = replace(self._work(batch), wait_seconds=0)
        seconds = photos * self._seconds(work)
        if isinstance(size, FunctionSize):
            compute = [
                Line("Lambda", "CPU time", f"lambda-{size.architecture}-gb-seconds", seconds * size.memory_gb),
                Line("Lambda", "1 request for each full batch", "lambda-requests", photos / batch / 1e6),
            ]
        else:
            hourly = fleet_of(self._option, size, seconds, self.assumptions).hourly
            compute = [
                Line("ECS", f"CPU time: {_hourly_item(key)}", key, units * seconds / 3600)
                for key, units in hourly.items()
            ]
        return floor_lines(photos, by_api=self.usage.upload == "api", batch=batch, compute=compute)

    @property
    def _option(self) -> Option:
        return self.deployment.thumbnails_on

    def _work(self, batch: float) -> Work:
        return photo_work(self.usage.megapixels, batch, self.results)

    @property
    def cpu_factor(self) -> float:
        """CPU time of the consumer, relative to the machine that ran the benchmark."""
        factors = {"fargate": self.assumptions.cpu_factor_fargate, "ec2": self.assumptions.cpu_factor_ec2}
        return factors.get(self._option, self.assumptions.cpu_factor_lambda)

    def _seconds(self, work: Work) -> float:
        return work.photo_seconds(cpu_factor=self.cpu_factor, vcpus=self.deployment.consumer.vcpus)

    def _actions(self) -> Iterator[tuple[Action, float, float]]:
        """Yield each action, how often it happens, and the factor of those of its units that grow with photos."""
        usage, record = self.usage, self.record
        yield ("upload-api" if usage.upload == "api" else "upload-s3"), usage.photos, 1
        yield "deletion", usage.deletions, 1
        yield "page-view", usage.page_views, 1
        yield "album", usage.albums, usage.album_photos / record.album_photos
        # An upper bound: a few of its requests, such as that of its report, do not grow.
        yield "sweep", DAYS_PER_MONTH, self._stored_photos / record.sweep_photos

    @property
    def _stored_photos(self) -> float:
        """Photos of this month that are stored, on average."""
        return max(0, self.usage.photos - self.usage.deletions) * _MEAN_AGE

    def _recorded(self) -> Iterator[Line]:
        units: defaultdict[str, float] = defaultdict(float)
        batched: set[str] = set()
        for action, count, factor in self._actions():
            recorded = self.record.of(action, self.deployment.thumbnails_on)
            for unit, each in recorded.units(self.batch).items():
                name = unit.partition("/")[0]
                units[name] += count * each * (1 if unit.startswith(_PER_REQUEST) else factor)
                if count and recorded.batch.get(unit):
                    batched.add(name)
        units["s3-stored-bytes"] += (self.usage.photos - self.usage.deletions) * self.photo_bytes
        for unit, (service, item, key, divisor) in _RECORDED.items():
            basis: Basis = "both" if unit in batched else "recorded"
            yield Line(service, item, key, max(0, units[unit]) / divisor, basis)

    @property
    def photo_bytes(self) -> int:
        """Size of each original."""
        if self.usage.photo_bytes is not None:
            return self.usage.photo_bytes
        return round(interpolated(self.results, "photo_bytes", self.usage.megapixels, self.batch))

    def _consumer(self) -> Iterator[Line]:
        """Yield what the consumer of the upload queue is billed for. A deletion is a message, too."""
        size, photos, deletions = self.deployment.consumer, self.usage.photos, self.usage.deletions
        messages = photos + deletions
        mean = (photos * self.photo_seconds + deletions * _DELETION_SECONDS) / messages if messages else 0
        daily = messages / DAYS_PER_MONTH
        if isinstance(size, FunctionSize):
            use = function_use(size, daily, mean, self.assumptions, packaged=self.deployment.thumbnails_on == "lambda")
            key = f"lambda-{size.architecture}-gb-seconds"
            yield Line("Lambda", "GB-seconds of thumbnails", key, use.gb_seconds)
            yield Line("SQS", "empty receives", "sqs-requests", use.empty_receives / 1e6)
            return
        fleet = fleet_of(self._option, size, mean, self.assumptions)
        hours = fleet.worker_seconds(daily) * DAYS_PER_MONTH / 3600
        for key, units in fleet.hourly.items():
            yield Line("ECS", f"workers: {_hourly_item(key)}", key, units * hours)
        yield Line("SQS", "empty receives", "sqs-requests", empty_receives(hours) / 1e6)

    def _requests(self, stack: str) -> float:
        """Return the requests of the function of a stack."""
        unit = f"lambda-requests/{stack}"
        return sum(count * self.record.of(action).each.get(unit, 0) for action, count, _ in self._actions())

    def _functions(self) -> Iterator[Line]:
        """Yield the durations of the functions behind the API and the schedule."""
        memory, key = self.deployment.memory_gb, "lambda-arm64-gb-seconds"
        requests = self._requests("Api")
        yield Line("Lambda", "GB-seconds of the API", key, requests * _API_SECONDS * memory["Api"])
        seconds = DAYS_PER_MONTH * self._stored_photos * _SWEEP_SECONDS
        yield Line("Lambda", "GB-seconds of the sweep", key, seconds * memory["Cron"])
        yield Line("EventBridge", "invocations of the sweep", "schedules", DAYS_PER_MONTH / 1e6)
        if sampling := self.deployment.sampling:
            traces = sampling.traces(requests, HOURS_PER_MONTH * 3600)
            yield Line("X-Ray", "traces of the API", "traces", traces / 1e6)
        intervals = HOURS_PER_MONTH * 3600 / self.deployment.log_interval_seconds
        yield Line("S3", "PUT of the access log", "s3-put", min(requests, intervals) / 1e6)

    def _albums(self) -> Iterator[Line]:
        """Yield the compute of albums. Each album starts an instance and a task of its own."""
        assumptions, albums = self.assumptions, self.usage.albums
        pages = ceil(self.usage.album_photos / PHOTOS_PER_PAGE)
        instance = assumptions.start_seconds_ec2 + pages * _PAGE_SECONDS + assumptions.stop_seconds_batch
        task = max(60, assumptions.start_seconds_fargate + _BIND_SECONDS)  # Fargate bills a minute at least.
        for name, hourly, seconds in (
            ("album pages", self.deployment.album_pages, instance),
            ("album binding", self.deployment.album_binding, task),
        ):
            for key, units in hourly.items():
                yield Line("Batch", f"{name}: {_hourly_item(key)}", key, albums * units * seconds / 3600)

    def _others(self) -> Iterator[Line]:
        """Yield what the gallery page costs, which ECS serves without more tasks than an idle service has."""
        gigabytes = self.usage.page_views * sum(file.stat().st_size for file in _GALLERY.iterdir()) / _GB
        yield Line("Data transfer", "gallery page", "transfer-out", gigabytes)
        capacity = max(self.usage.page_views / _VIEWS_PER_CAPACITY_HOUR, gigabytes)  # one unit is also 1 GB
        yield Line("Load balancer", "capacity for gallery page", "load-balancer-capacity", capacity)


def _hourly_item(key: str) -> str:
    """Return what a worker or a job is billed for by the hour, for a key in `prices.toml`."""
    if key.startswith("fargate"):
        return "vCPU" if key.endswith("vcpu") else "memory, GB"
    names = {"public-ipv4": "public IPv4", "ebs-gp3": "disks", "ec2-spot": "instances"}
    return names.get(key, f"{key} instances")
