"""The story of a soak: everything goes wrong at once, then it ends, then a person does what a person has to do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from local.console import headline, step
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox
from local.soak.clients import Clients
from local.soak.faults import Injected, faulty, thumbnail_function
from local.soak.happened import Happened
from local.soak.judge import Judge
from local.soak.pictures import outcome, pictures
from local.soak.plan import Plan
from local.soak.postman import Postman
from local.soak.sweeps import Sweeps

_PREFIX = "soak/"
_DRAIN_SECONDS = 120  # to do what is waiting, once nothing fails
_LINE_SECONDS = 10  # between two lines for whoever watches


@dataclass(frozen=True)
class Soak:
    """How much of what. All times are in seconds.

    share: of the functions' calls that fail; kill: of those at which the process is killed; both from 0 to 1
    functions: so many run at once, at most
    spread: over so long the clients' steps are spread
    hidden: until a message that was not handled comes again, as six minutes are too long to wait here
    late: so much later come the late events
    patience: for all that is to happen while calls fail
    """

    photos: int
    clients: int
    seed: str
    share: float
    kill: float
    sweeps: int
    functions: int
    spread: float
    hidden: int
    late: int
    patience: float


def soak(sandbox: Sandbox, wanted: Soak) -> Happened:
    """Do it. Returns what happened. Raises SandboxError with what is not as it has to be in the end."""
    files = pictures()
    outcomes = {name: outcome(body) for name, body in files.items()}
    plan = Plan(wanted.photos, wanted.clients, list(files), wanted.seed, _PREFIX)
    judge = Judge(sandbox, plan, files, outcomes)
    sweeps = Sweeps(sandbox)
    headline(f"{wanted.photos:,} photos, {plan.steps:,} uploads and deletions, {wanted.clients} clients")
    with step("everything goes wrong at once") as told, _tried_again_soon(sandbox, wanted):
        happened = _everything_at_once(sandbox, wanted, plan, files, judge, sweeps)
        told += [happened.delivery, happened.failures, happened.interruptions]
    with step("make redrive, now that nothing fails any more") as told:
        told.append(f"before: {happened.dead} dead letters, {len(judge.wrong_photos())} photos wrong")
        told.append(_redrive(sandbox))
        _wait(sandbox, judge, lambda: not any(judge.waiting().values()), _DRAIN_SECONDS)
        happened.wrong, happened.orphans = len(judge.wrong_photos()), len(judge.orphans())
        told.append(happened.left_for_the_sweep)
    with step("the sweep, until it finds nothing to do") as told:
        progress = sweeps.until_quiet(
            lambda: _wait(sandbox, judge, lambda: not judge.waiting()["upload queue"], _DRAIN_SECONDS)
        )
        told.append(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in progress["counts"].items()))
    with step("what is there in the end") as told:
        if problems := judge.problems(progress):
            raise SandboxError("\n  ".join([f"{len(problems)} things are not as they have to be:", *problems[:20]]))
        happened.states = judge.states
        told.append(happened.end)
    return happened


def _everything_at_once(
    sandbox: Sandbox, wanted: Soak, plan: Plan, files: Mapping[str, bytes], judge: Judge, sweeps: Sweeps
) -> Happened:
    functions = [thumbnail_function(sandbox), sandbox.outputs["Cron"]["SweepFunction"]]
    clients = Clients(sandbox, plan, files, wanted.spread)
    start = time.monotonic()
    told = start
    with (
        faulty(sandbox, functions, share=wanted.share, kill=wanted.kill, seed=wanted.seed) as injected,
        Postman(sandbox, wanted.seed, wanted.late) as postman,
    ):
        clients.start()

        def done() -> bool:
            nonlocal told
            elapsed, waiting = time.monotonic() - start, judge.waiting()
            if sweeps.started < wanted.sweeps and elapsed > wanted.spread * (sweeps.started + 0.5) / wanted.sweeps:
                sweeps.start()
            if time.monotonic() > told + _LINE_SECONDS:
                told = time.monotonic()
                _tell(clients, plan, waiting, injected)
            all_said = not clients.running and postman.received == plan.steps and sweeps.started == wanted.sweeps
            return all_said and not waiting["upload queue"]

        _wait(sandbox, judge, done, wanted.patience)
    return Happened(
        events=postman.received,
        twice=postman.twice,
        late=postman.late,
        calls=injected.calls,
        faults=injected.faults,
        kills=injected.kills,
        sweeps=sweeps.started,
        dead=judge.waiting()["dead-letter queue"],
    )


def _tell(clients: Clients, plan: Plan, waiting: Mapping[str, int], injected: Injected) -> None:
    print(
        f"      {clients.done:,} of {plan.steps:,} uploads and deletions, {waiting['upload queue']:,} events waiting, "
        f"{waiting['dead-letter queue']} dead letters; {injected.faults.total():,} calls failed, "
        f"{injected.kills} functions killed",
        flush=True,
    )


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


def _wait(sandbox: Sandbox, judge: Judge, done: Callable[[], bool], seconds: float) -> None:
    """Until it is done, twice in a row: a message on its way from one queue to the next is in neither."""
    deadline, in_a_row = time.monotonic() + seconds, 0
    while in_a_row < 2:
        sandbox.emulator.check()
        in_a_row = in_a_row + 1 if done() else 0
        if time.monotonic() > deadline:
            raise SandboxError(f"Not within {seconds:.0f} seconds. Messages waiting: {judge.waiting()}")
        time.sleep(0.3)


@contextmanager
def _tried_again_soon(sandbox: Sandbox, wanted: Soak) -> Iterator[None]:
    """Tries follow each other sooner than in six minutes, and no more functions run than a laptop has breath for."""
    sqs, queue = sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    names = ["VisibilityTimeout", "QueueArn"]
    usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    client = sandbox.client("lambda")
    (mapping,) = client.list_event_source_mappings(EventSourceArn=usual["QueueArn"])["EventSourceMappings"]

    def set_(seconds: int, functions: int) -> None:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})
        client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": functions})

    set_(wanted.hidden, wanted.functions)
    try:
        yield
    finally:
        set_(usual["VisibilityTimeout"], mapping["ScalingConfig"]["MaximumConcurrency"])
