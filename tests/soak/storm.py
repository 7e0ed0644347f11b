"""Everything goes wrong at once: clients at work, events on a bad way, calls that fail, functions killed, sweeps."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from local.errors import SandboxError
from local.sandbox import Sandbox
from tests.soak.clients import Clients
from tests.soak.event_injector import Postman
from tests.soak.faults import InjectedFaults, inject_faults, thumbnail_function
from tests.soak.plan import Plan
from tests.soak.report import Happened
from tests.soak.verifier import Judge

_LINE_SECONDS = 10  # between two lines for whoever watches


@dataclass(frozen=True)
class Storm:
    """How much goes wrong, and for how long. All times are in seconds.

    share: of the functions' calls that fail; kill: of those at which the process is killed; both from 0 to 1
    functions: so many run at once, at most
    spread: over so long the clients' steps are spread
    hidden: until a message that was not handled comes again, as six minutes are too long to wait here
    late: so much later come the late events
    patience: for all of it
    """

    seed: str
    share: float
    kill: float
    sweeps: int
    functions: int
    spread: float
    hidden: int
    late: int
    patience: float

    def rage(
        self,
        sandbox: Sandbox,
        plan: Plan,
        files: Mapping[str, bytes],
        judge: Judge,
        start_sweep: Callable[[], None],
        happened: Happened,
    ) -> None:
        """Until the clients are done and every event was handled or given up. Counts into `happened`."""
        functions = [thumbnail_function(sandbox), sandbox.outputs["Cron"]["SweepFunction"]]
        clients = Clients(sandbox, plan, files, self.spread)
        started = 0
        start = told = time.monotonic()
        with (
            self._tries_soon(sandbox),
            inject_faults(sandbox, functions, share=self.share, kill=self.kill, seed=self.seed) as injected,
            Postman(sandbox, self.seed, self.late) as postman,
        ):
            clients.start()

            def over() -> bool:
                nonlocal started, told
                elapsed, waiting = time.monotonic() - start, judge.waiting()
                if started < self.sweeps and elapsed > self.spread * (started + 0.5) / self.sweeps:
                    start_sweep()
                    started += 1
                if time.monotonic() > told + _LINE_SECONDS:
                    told = time.monotonic()
                    _tell(clients, plan, waiting, injected)
                all_said = not clients.running and postman.received == plan.steps and started == self.sweeps
                return all_said and not waiting["upload queue"]

            wait(sandbox, judge, over, self.patience)
        happened.events += postman.received
        happened.twice += postman.twice
        happened.late += postman.late
        happened.overtaking += postman.overtaking
        happened.calls += injected.calls
        happened.faults += injected.faults
        happened.kills += injected.kills
        happened.sweeps += started
        happened.dead += judge.waiting()["dead-letter queue"]

    @contextmanager
    def _tries_soon(self, sandbox: Sandbox) -> Iterator[None]:
        """Tries follow each other sooner, and no more functions run than a laptop has breath for."""
        sqs, queue = sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
        names = ["VisibilityTimeout", "QueueArn"]
        usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        client = sandbox.client("lambda")
        (mapping,) = client.list_event_source_mappings(EventSourceArn=usual["QueueArn"])["EventSourceMappings"]

        def set_(seconds: int, functions: int) -> None:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})
            client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": functions})

        set_(self.hidden, self.functions)
        try:
            yield
        finally:
            set_(usual["VisibilityTimeout"], mapping["ScalingConfig"]["MaximumConcurrency"])


def wait(sandbox: Sandbox, judge: Judge, done: Callable[[], bool], seconds: float) -> None:
    """Until it is done, twice in a row: a message on its way from one queue to the next is in neither.

    Raises SandboxError when that takes longer.
    """
    deadline, in_a_row = time.monotonic() + seconds, 0
    while in_a_row < 2:
        sandbox.emulator.check()
        in_a_row = in_a_row + 1 if done() else 0
        if time.monotonic() > deadline:
            raise SandboxError(f"Not within {seconds:.0f} seconds. Messages waiting: {judge.waiting()}")
        time.sleep(0.3)


def _tell(clients: Clients, plan: Plan, waiting: Mapping[str, int], injected: InjectedFaults) -> None:
    print(
        f"      {clients.done:,} of {plan.steps:,} uploads and deletions, {waiting['upload queue']:,} events waiting, "
        f"{waiting['dead-letter queue']} dead letters; {injected.faults.total():,} calls failed, "
        f"{injected.kills} functions killed",
        flush=True,
    )
