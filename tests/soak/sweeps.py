"""The sweep: started as its schedule does while everything goes wrong, and in the end until it has nothing to do."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.sweep import Progress

# The first puts right, the second has nothing to do.
_ROUNDS = 5


class Sweeps:
    """Starts the sweep."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._function = sandbox.outputs["Cron"]["SweepFunction"]
        self._client = sandbox.client("lambda")

    def start(self) -> None:
        """As the schedule does."""
        self._start({})

    def start_as_if_old(self) -> None:
        """One that takes whatever is there for old, and leaves nothing alone."""
        self._start(_as_if_old())

    def until_quiet(self, drained: Callable[[], None]) -> dict[str, Any]:
        """Sweep until there is nothing to do, and return that sweep's progress. Raises SandboxError.

        drained: waits until all that a sweep has queued is done
        """
        for _ in range(_ROUNDS):
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(_as_if_old()))
            progress: dict[str, Any] = json.load(answer["Payload"])
            if "FunctionError" in answer:
                raise SandboxError(f"The sweep failed: {progress}")
            drained()
            if not any(progress["counts"][name] for name in ("queued", "removed_items", "removed_thumbnails")):
                return progress
        raise SandboxError(f"After {_ROUNDS} sweeps there is still something to do: {progress}")

    def _start(self, event: dict[str, Any]) -> None:
        self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=json.dumps(event))


def _as_if_old() -> dict[str, Any]:
    """The event of a sweep for which whatever is there has been there for hours."""
    return {"progress": Progress(datetime.now(UTC) + timedelta(hours=2)).to_json()}
