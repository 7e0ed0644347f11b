"""The story of a soak: everything goes wrong, a person does what a person has to do, and all is compared."""

import os
import subprocess
import sys

from local.console import heading, step
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox
from tests.soak.photos import outcome, pictures
from tests.soak.plan import make_plan
from tests.soak.report import Happened
from tests.soak.storm import Storm, wait
from tests.soak.sweeps import Sweeps
from tests.soak.verifier import Judge

_PREFIX = "soak/"
_DRAIN_SECONDS = 120  # to do what is waiting, once nothing fails


def soak(sandbox: Sandbox, storm: Storm, *, photos: int, clients: int, again: int) -> Happened:
    """Do it. Returns what happened. Raises SandboxError with what is not as it has to be.

    again: so many photos are uploaded once more, replaced or deleted while sweeps take whatever is there for old: these
        leave nothing alone, as a sweep otherwise does for an hour, and what they break they have to mend
    """
    files = pictures()
    plan = make_plan(photos, clients, list(files), storm.seed, _PREFIX)
    judge = Judge(sandbox, plan, files, {name: outcome(body) for name, body in files.items()})
    sweeps = Sweeps(sandbox)
    happened = Happened()

    def redrive() -> str:
        said = _redrive(sandbox)
        wait(sandbox, judge, lambda: not any(judge.waiting().values()), _DRAIN_SECONDS)
        return said

    heading(f"{photos:,} photos, {plan.steps:,} uploads and deletions, {clients} clients")
    with step("everything goes wrong at once") as told:
        storm.rage(sandbox, plan, files, judge, sweeps.start, happened)
        told += [happened.delivery, happened.failures, happened.interruptions]
    with step("make redrive, now that nothing fails any more") as told:
        told += [f"before: {happened.dead} dead letters, {len(judge.wrong_photos())} photos wrong", redrive()]
        _nothing_wrong(judge.wrong_photos())
        told.append(f"every photo is as it has to be; {len(judge.orphans())} thumbnails are left for the sweep")
    if again:
        with step(f"once more for {again} photos, while sweeps take everything for old") as told:
            more = plan.again(again, list(files), storm.seed)
            judge.expect(more.final)
            sweeps_before = happened.sweeps
            storm.rage(sandbox, more, files, judge, sweeps.start_as_if_old, happened)
            happened.acting_sweeps = happened.sweeps - sweeps_before
            told += [f"before: {len(judge.wrong_photos())} photos wrong", redrive()]
    with step("the sweep, until it finds nothing to do") as told:
        progress = sweeps.until_quiet(
            lambda: wait(sandbox, judge, lambda: not judge.waiting()["upload queue"], _DRAIN_SECONDS)
        )
        told.append(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in progress["counts"].items()))
    with step("what is there in the end") as told:
        _nothing_wrong(judge.problems(progress))
        happened.states = judge.states
        told.append(happened.end)
    return happened


def _nothing_wrong(problems: list[str]) -> None:
    if problems:
        raise SandboxError("\n  ".join([f"{len(problems)} things are not as they have to be:", *problems[:20]]))


def _redrive(sandbox: Sandbox) -> str:
    """The last line of what `make redrive` says. Raises SandboxError if it fails."""
    run = subprocess.run(
        [sys.executable, "-m", "operations", "redrive"],
        cwd=ROOT,
        env=os.environ | sandbox.emulator.client_environment(),
        capture_output=True,
        text=True,
    )
    if run.returncode:
        raise SandboxError(f"make redrive failed:\n{run.stdout}{run.stderr}")
    return run.stdout.splitlines()[-1]
