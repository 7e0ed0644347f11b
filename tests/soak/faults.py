"""Fault injection into the deployed functions, and the number of injected faults."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from local.sandbox import Sandbox

_PYTHONPATH = ROOT / "tests" / "soak" / "pythonpath"


class InjectedFaults:
    """The faults in the functions' AWS calls, read from the log that `pythonpath/fault_injection.py` writes."""

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
    functions: Sequence[str],
    *,
    seed: str = "",
    share: float = 0,
    kill: float = 0,
    kill_at: int | None = None,
    cpu: float | None = None,
) -> Iterator[InjectedFaults]:
    """Inject faults into these functions while the block runs. `pythonpath/fault_injection.py` defines the options."""
    client = sandbox.client("lambda")
    log = sandbox.emulator.folder / "faults.log"
    log.unlink(missing_ok=True)
    options = {"share": share, "kill": kill, "kill_at": kill_at, "cpu": cpu, "seed": seed, "log": str(log)}
    original = [client.get_function_configuration(FunctionName=name) for name in functions]
    for configuration in original:
        faults = json.dumps(options | {"handler": configuration["Handler"]})
        _configure(client, configuration, "fault_injection.handler", FAULTS=faults, PYTHONPATH=str(_PYTHONPATH))
    try:
        yield InjectedFaults(log)
    finally:
        for configuration in original:
            _configure(client, configuration, configuration["Handler"])


def thumbnail_function(sandbox: Sandbox) -> str:
    """Return the name of the function that consumes the upload queue."""
    sqs, queue = sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (mapping,) = sandbox.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    name: str = mapping["FunctionArn"].rpartition(":")[2]
    return name


def _configure(client: Any, original: dict[str, Any], handler: str, **environment: str) -> None:
    variables = original["Environment"]["Variables"] | environment
    client.update_function_configuration(
        FunctionName=original["FunctionName"], Handler=handler, Environment={"Variables": variables}
    )
