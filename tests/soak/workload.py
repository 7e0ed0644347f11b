"""Load with faults: concurrent clients, disturbed event delivery, failing calls, killed processes, and sweeps."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.errors import SandboxError
from local.sandbox import Sandbox
from tests.e2e.failure_scenarios import short_visibility_timeout
from tests.e2e.programs import Function, thumbnail_consumer
from tests.queues import temporary_queue
from tests.soak.event_injector import EventInjector
from tests.soak.faults import inject_faults
from tests.soak.plan import Plan, Request
from tests.soak.report import SoakReport

_SECONDS_BETWEEN_LINES = 10  # of progress on the console


@dataclass(frozen=True)
class SoakSettings:
    """Load and faults of a soak. Durations are in seconds, rates are fractions from 0 to 1.

    Attributes:
        photos: Number of keys.
        clients: Number of concurrent clients.
        changed_photos: Number of photos that are uploaded again, replaced, or deleted in the second phase.
        error_rate: Fraction of the AWS calls that fail, of the sweep and of what makes thumbnails.
        kill_rate: Fraction of these calls at which the process is killed.
        sweeps: Number of sweeps that start in each of the two phases.
        duration: Time over which the clients spread their requests.
        visibility_timeout: Seconds until SQS delivers a failed message again, instead of the delays of the stack.
        max_delay: Delay of late events.
        timeout: Limit for each phase.
    """

    seed: str
    photos: int
    clients: int
    changed_photos: int
    error_rate: float
    kill_rate: float
    sweeps: int
    duration: float
    visibility_timeout: int
    max_delay: int
    timeout: float


class Clients:
    """One thread for each client of a plan.

    Attributes:
        completed: Number of requests that succeeded so far.
    """

    def __init__(self, sandbox: Sandbox, plan: Plan, images: Mapping[str, bytes], duration: float) -> None:
        """Create the threads, whose requests are spread over `duration` seconds. `images` are the files by name."""
        self.completed = 0
        self._duration = duration
        self._bucket = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        self._images = images
        self._lock = threading.Lock()
        self._errors: list[Exception] = []
        # Creating a boto3 client is not thread-safe. Using one is.
        s3 = sandbox.client("s3")
        self._threads = [threading.Thread(target=self._run, args=(s3, it), daemon=True) for it in plan.clients]

    def start(self) -> None:
        """Start the threads and return."""
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether a client has requests left. Raises the first error of a client."""
        if self._errors:
            raise self._errors[0]
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, s3: Any, requests: list[Request]) -> None:
        start = time.monotonic()
        try:
            for request in requests:
                time.sleep(max(0, start + request.time * self._duration - time.monotonic()))
                target = {"Bucket": self._bucket, "Key": request.key}
                if request.image is None:
                    s3.delete_object(**target)
                else:
                    s3.put_object(**target, Body=self._images[request.image])
                with self._lock:
                    self.completed += 1
        except Exception as error:
            self._errors.append(error)


def run_workload(
    sandbox: Sandbox,
    settings: SoakSettings,
    plan: Plan,
    images: Mapping[str, bytes],
    start_sweep: Callable[[], None],
    report: SoakReport,
) -> None:
    """Run a plan with faults until its clients have finished and the upload queue is empty. Adds to `report`."""
    outputs = sandbox.outputs["Thumbnails"]
    programs = [thumbnail_consumer(sandbox), Function(sandbox, sandbox.outputs["Cron"]["SweepFunction"])]
    clients = Clients(sandbox, plan, images, settings.duration)
    sweeps = 0
    start = printed = time.monotonic()
    with (
        short_visibility_timeout(sandbox, settings.visibility_timeout),
        inject_faults(
            sandbox, programs, share=settings.error_rate, kill=settings.kill_rate, seed=settings.seed
        ) as faults,
        temporary_queue(sandbox, "s3.amazonaws.com") as queue,
        EventInjector(sandbox, settings.seed, settings.max_delay, queue) as events,
    ):
        clients.start()

        def is_done() -> bool:
            nonlocal sweeps, printed
            now, depth = time.monotonic(), sandbox.queue_depth(outputs["UploadQueueUrl"])
            if sweeps < settings.sweeps and now - start > settings.duration * (sweeps + 0.5) / settings.sweeps:
                start_sweep()
                sweeps += 1
            if now > printed + _SECONDS_BETWEEN_LINES:
                printed = now
                print(
                    f"      {clients.completed:,} of {plan.request_count:,} requests, {depth:,} events in the queue, "
                    f"{faults.errors.total():,} failed calls, {faults.kills} killed processes",
                    flush=True,
                )
            sent = not clients.running and events.counts["events"] == plan.request_count and sweeps == settings.sweeps
            return sent and not depth

        wait_until(sandbox, is_done, settings.timeout)
    report.counts.update(events.counts)
    report.counts.update({"calls": faults.calls, "killed processes": faults.kills})
    report.counts["messages in the dead-letter queue"] += sandbox.queue_depth(outputs["DeadLetterQueueUrl"])
    report.errors.update(faults.errors)


def wait_until(sandbox: Sandbox, condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds twice in a row, because a message that moves between queues is in neither.

    Raises:
        SandboxError: The condition does not hold in time, or the emulator has stopped.
    """
    deadline, in_a_row = time.monotonic() + seconds, 0
    while in_a_row < 2:
        sandbox.emulator.check()
        in_a_row = in_a_row + 1 if condition() else 0
        if time.monotonic() > deadline:
            raise SandboxError(f"The queues are not empty after {seconds:.0f} seconds")
        time.sleep(0.3)
