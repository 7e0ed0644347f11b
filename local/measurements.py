"""What the functions, tasks, and jobs in the sandbox used: API calls, CPU time, and memory.

Everything counts from the start of the emulator. The first reading starts the measurement of memory, so read once
before the work begins.
"""

import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from local.emulator import Emulator
from local.errors import SandboxError

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Usage:
    """What one execution environment of a function, one task, or one attempt of a job used, with its child processes.

    Attributes:
        name: The name of the function, the family of the task definition, or the name of the job definition.
        role: The name of the role whose credentials it has, or an empty string.
        cpu_seconds: User and system time so far.
        peak_bytes: The highest resident memory so far, 0 if the program ended before it was measured.
    """

    kind: Literal["function", "task", "job"]
    name: str
    role: str
    cpu_seconds: float
    peak_bytes: int


def calls(emulator: Emulator) -> Counter[tuple[str, str]]:
    """Return how often each role made each call, such as `("my-role", "s3:GetObject")`.

    Lambda's polling of a queue counts for the role of the function. A receive of no messages does not count.

    Raises:
        SandboxError: The emulator does not respond.
    """
    return Counter({(role, action): count for role, action, count in _read(emulator)["calls"]})


def billable_units(emulator: Emulator) -> dict[str, float]:
    """Return the units that `local/extension/billable_units.py` counted. Raises SandboxError as `calls` does."""
    units: dict[str, float] = _read(emulator)["units"]
    return units


def usage(emulator: Emulator) -> list[Usage]:
    """Return what each program used, also those that have ended. Raises SandboxError as `calls` does."""
    return [Usage(**program) for program in _read(emulator)["usage"]]


def _read(emulator: Emulator) -> dict[str, Any]:
    """Return what `local/extension/measurements.py` writes, with all that happened before this call."""
    file, start = emulator.folder / "measurements.json", time.time()
    file.touch()
    while time.time() < start + _TIMEOUT_SECONDS:
        emulator.check()
        content = file.read_text()
        if content and (read := json.loads(content))["time"] >= start:
            return read  # type: ignore[no-any-return]
        time.sleep(0.02)
    raise SandboxError(f"The emulator did not write {file} within {_TIMEOUT_SECONDS} seconds. Log: {emulator.log}")
