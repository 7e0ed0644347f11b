"""Invocations of the sweep: as the schedule makes them, and without the grace period for young objects."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.sweep import Progress

_MAX_ROUNDS = 5  # the first sweep repairs, the second has nothing to do
_REPAIRS = ("queued", "removed_items", "removed_thumbnails")


class Sweeps:
    """Invokes the sweep function."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._function = sandbox.outputs["Cron"]["SweepFunction"]
        self._client = sandbox.client("lambda")

    def start(self) -> None:
        """Start a sweep as the schedule does."""
        self._invoke({}, "Event")

    def start_without_grace(self) -> None:
        """Start a sweep that treats all objects and items as old."""
        self._invoke(_two_hours_from_now(), "Event")

    def run_until_clean(self, drain: Callable[[], None]) -> dict[str, Any]:
        """Run sweeps without a grace period until one has nothing to repair.

        Args:
            drain: Waits until the service has processed what a sweep queued.

        Returns:
            The progress of the last sweep.

        Raises:
            SandboxError: A sweep failed, or the fifth one still repaired something.
        """
        for _ in range(_MAX_ROUNDS):
            answer = self._invoke(_two_hours_from_now(), "RequestResponse")
            progress: dict[str, Any] = json.load(answer["Payload"])
            if "FunctionError" in answer:
                raise SandboxError(f"The sweep failed: {progress}")
            drain()
            if not any(progress["counts"][name] for name in _REPAIRS):
                return progress
        raise SandboxError(f"Sweep {_MAX_ROUNDS} still repairs something: {progress}")

    def _invoke(self, event: dict[str, Any], type_: str) -> Any:
        return self._client.invoke(FunctionName=self._function, InvocationType=type_, Payload=json.dumps(event))


def _two_hours_from_now() -> dict[str, Any]:
    """An event with a start time in the future, at which everything is older than the grace period of one hour."""
    return {"progress": Progress(datetime.now(UTC) + timedelta(hours=2)).to_json()}
