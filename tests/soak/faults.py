"""Fault injection into deployed programs, and the number of injected faults."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.sandbox import Sandbox
from tests.e2e.programs import Function, Workers


class InjectedFaults:
    """The faults in the programs' AWS calls, read from the log that `pythonpath/fault_injection.py` writes."""

    def __init__(self, log: Path) -> None:
        self.log = log

    @property
    def errors(self) -> Counter[str]:
        """Number of failed calls, by kind."""
        return Counter({kind: n for kind, n in self._kinds().items() if not kind.startswith(("done", "killed"))})

    @property
    def calls(self) -> int:
        """Number of calls, failed ones included."""
        return self._kinds().total() - self.kills

    @property
    def kills(self) -> int:
        """Number of killed processes."""
        return sum(count for kind, count in self._kinds().items() if kind.startswith("killed"))

    def _kinds(self) -> Counter[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(line.split("\t")[2] for line in lines)


@contextmanager
def inject_faults(
    sandbox: Sandbox,
    programs: Sequence[Function | Workers],
    *,
    seed: str = "",
    share: float = 0,
    kill: float = 0,
    kill_at: int | None = None,
    cpu: float | None = None,
) -> Iterator[InjectedFaults]:
    """Inject faults into these programs while the block runs. `pythonpath/fault_injection.py` defines the options."""
    log = sandbox.emulator.folder / "faults.log"
    log.unlink(missing_ok=True)
    with ExitStack() as stack:
        for program in programs:
            stack.enter_context(
                program.with_faults(share=share, kill=kill, kill_at=kill_at, cpu=cpu, seed=seed, log=str(log))
            )
        yield InjectedFaults(log)
