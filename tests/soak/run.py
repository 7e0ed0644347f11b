"""The phases of a soak: load with faults, redrive, load during sweeps without a grace period, sweep, comparison."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from local.console import heading, step
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.sweep import Progress
from tests.e2e.failure_scenarios import run_redrive
from tests.soak.photos import expected_outcome, soak_images
from tests.soak.plan import make_plan, plan_changes
from tests.soak.report import SoakReport, describe
from tests.soak.verifier import Verifier
from tests.soak.workload import SoakSettings, run_workload, wait_until

_DRAIN_SECONDS = 400  # to process the queued messages once nothing fails
_MAX_PROBLEMS = 20  # that a message lists
_MAX_ROUNDS = 5  # the first sweep repairs, the second has nothing to do
_REPAIRS = ("queued", "removed_items", "removed_thumbnails")


def soak(sandbox: Sandbox, settings: SoakSettings) -> SoakReport:
    """Run a soak in a sandbox with the stack Cron. Returns the counts of faults and photos.

    Raises:
        SandboxError: The final state differs from the expected one, or a phase does not end in time.
    """
    images = soak_images()
    plan = make_plan(settings.photos, settings.clients, list(images), settings.seed, "soak/")
    verifier = Verifier(sandbox, plan, images, {name: expected_outcome(image) for name, image in images.items()})
    sweeps = Sweeps(sandbox)
    report = SoakReport()

    def redrive() -> str:
        run = run_redrive(sandbox)
        if run.returncode:
            raise SandboxError(f"make redrive failed:\n{run.stdout}{run.stderr}")
        wait_until(sandbox, lambda: not any(verifier.queue_depths().values()), _DRAIN_SECONDS)
        return run.stdout.splitlines()[-1]

    heading(f"{settings.photos:,} photos, {plan.request_count:,} requests, {settings.clients} clients")
    with step("Uploads, replacements, and deletions with faults") as notes:
        run_workload(sandbox, settings, plan, images, sweeps.start, report)
        report.counts["sweeps"] += settings.sweeps
        notes += [describe(report.counts), f"errors: {describe(report.errors)}"]
    with step("make redrive without faults") as notes:
        notes += [f"before redrive: {len(verifier.wrong_photos())} incorrect photos", redrive()]
        _check(verifier.wrong_photos())
        notes.append(f"all photos are correct; the sweep has to delete {len(verifier.orphans())} orphaned thumbnails")
    # A sweep ignores what is younger than an hour. These sweeps do not, so they act on uploads in progress, and must
    # repair what they break.
    with step(f"Changes of {settings.changed_photos} photos during sweeps without a grace period") as notes:
        changes = plan_changes(plan, settings.changed_photos, list(images), settings.seed)
        verifier.expect(changes.final)
        run_workload(sandbox, settings, changes, images, partial(sweeps.start, grace=False), report)
        report.counts["sweeps without grace period"] += settings.sweeps
        notes += [f"before redrive: {len(verifier.wrong_photos())} incorrect photos", redrive()]
    with step("Sweeps until there is nothing to repair") as notes:
        progress = sweeps.run_until_clean(
            lambda: wait_until(sandbox, lambda: not verifier.queue_depths()["upload queue"], _DRAIN_SECONDS)
        )
        notes.append(describe(Counter(progress["counts"])))
    with step("Comparison of the final state with the expected one") as notes:
        _check(verifier.problems(progress))
        report.states = verifier.states
        notes.append(f"{describe(report.states)}; no orphaned thumbnails, no messages in any queue")
    return report


def _check(problems: list[str]) -> None:
    if problems:
        raise SandboxError("\n  ".join([f"{len(problems)} problems:", *problems[:_MAX_PROBLEMS]]))


class Sweeps:
    """Invokes the sweep function."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._function = sandbox.outputs["Cron"]["SweepFunction"]
        self._client = sandbox.client("lambda")

    def start(self, *, grace: bool = True) -> None:
        """Start a sweep as the schedule does, or one that treats all objects and items as old."""
        self._invoke({} if grace else _two_hours_from_now(), "Event")

    def run(self) -> dict[str, Any]:
        """Run a sweep without a grace period, and return its progress."""
        answer = self._invoke(_two_hours_from_now(), "RequestResponse")
        progress: dict[str, Any] = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise SandboxError(f"The sweep failed: {progress}")
        return progress

    def run_until_clean(self, drain: Callable[[], None]) -> dict[str, Any]:
        """Run sweeps without a grace period until one has nothing to repair. Returns the progress of the last one.

        `drain` waits until the service has processed what a sweep queued.
        """
        for _ in range(_MAX_ROUNDS):
            progress = self.run()
            drain()
            if not any(progress["counts"][name] for name in _REPAIRS):
                return progress
        raise SandboxError(f"Sweep {_MAX_ROUNDS} still repairs something: {progress}")

    def _invoke(self, event: dict[str, Any], type_: str) -> Any:
        return self._client.invoke(FunctionName=self._function, InvocationType=type_, Payload=json.dumps(event))


def _two_hours_from_now() -> dict[str, Any]:
    """An event with a start time in the future, at which everything is older than the grace period of one hour."""
    return {"progress": Progress(datetime.now(UTC) + timedelta(hours=2)).to_json()}
