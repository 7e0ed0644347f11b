"""The phases of a soak: load with faults, redrive, load during sweeps without a grace period, sweep, comparison."""

from collections import Counter

from local.console import heading, step
from local.errors import SandboxError
from local.sandbox import Sandbox
from tests.e2e.failure_scenarios import run_redrive
from tests.soak.photos import expected_outcome, soak_images
from tests.soak.plan import make_plan, plan_changes
from tests.soak.report import SoakReport, describe
from tests.soak.sweeps import Sweeps
from tests.soak.verifier import Verifier
from tests.soak.workload import SoakSettings, run_workload, wait_until

_PREFIX = "soak/"
_DRAIN_SECONDS = 120  # to process the queued messages once nothing fails
_MAX_PROBLEMS = 20  # that a message lists


def soak(sandbox: Sandbox, settings: SoakSettings) -> SoakReport:
    """Run a soak in a sandbox with the stack Cron.

    Returns:
        The counts of faults and photos.

    Raises:
        SandboxError: The final state differs from the expected one, or a phase does not end in time.
    """
    images = soak_images()
    plan = make_plan(settings.photos, settings.clients, list(images), settings.seed, _PREFIX)
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
        run_workload(sandbox, settings, changes, images, sweeps.start_without_grace, report)
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
