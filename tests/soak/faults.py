"""What goes wrong in the functions while the soak runs, and how often it did."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from local.sandbox import Sandbox

_HOOK = ROOT / "tests" / "soak" / "pythonpath"


class InjectedFaults:
    """What was done to the functions, read from the log that `fault_injection.py` writes."""

    def __init__(self, log: Path) -> None:
        self.log = log

    @property
    def faults(self) -> Counter[str]:
        """Calls that failed, by how they failed."""
        return Counter(
            {what: count for what, count in self._lines().items() if not what.startswith(("done", "killed"))}
        )

    @property
    def calls(self) -> int:
        """Calls that were made, whatever became of them."""
        return sum(count for what, count in self._lines().items() if not what.startswith("killed"))

    @property
    def kills(self) -> int:
        """Processes that were killed."""
        return sum(count for what, count in self._lines().items() if what.startswith("killed"))

    def _lines(self) -> Counter[str]:
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
) -> Iterator[InjectedFaults]:
    """While the block runs, the calls of these functions fail and their processes are killed.

    The settings are those of `fault_injection.py`.
    """
    client = sandbox.client("lambda")
    log = sandbox.emulator.folder / "faults.log"
    log.unlink(missing_ok=True)
    settings = {"share": share, "kill": kill, "kill_at": kill_at, "seed": seed, "log": str(log)}
    before = {name: client.get_function_configuration(FunctionName=name) for name in functions}
    for name, usual in before.items():
        faults = json.dumps(settings | {"handler": usual["Handler"]})
        _configure(client, name, "fault_injection.handler", usual, FAULTS=faults, PYTHONPATH=str(_HOOK))
    try:
        yield InjectedFaults(log)
    finally:
        for name, usual in before.items():
            _configure(client, name, usual["Handler"], usual)


def thumbnail_function(sandbox: Sandbox) -> str:
    """The name of the function that makes the thumbnails: the one behind the upload queue."""
    sqs, queue = sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (mapping,) = sandbox.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    name: str = mapping["FunctionArn"].rpartition(":")[2]
    return name


def _configure(client: Any, name: str, handler: str, usual: dict[str, Any], **environment: str) -> None:
    variables = usual["Environment"]["Variables"] | environment
    client.update_function_configuration(FunctionName=name, Handler=handler, Environment={"Variables": variables})
