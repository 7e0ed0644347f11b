"""Compares the options in the sandbox: each value of `thumbnails_on` in an emulator of its own."""

import platform
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from local.deployment import Deployment
from local.measurements import calls, usage
from local.sandbox import Sandbox, running_sandbox
from operations.compare.measurement import Option, Target
from operations.compare.measuring.consumer import consumer_role
from stacks.support.settings import ThumbnailsOn

# How much faster the time of metrics and alarms passes, so that the workers start after seconds instead of minutes.
_METRIC_SPEED: Final = 20


class SandboxTarget:
    """Emulators of AWS on this machine."""

    target: Target = "sandbox"
    patience = 180.0

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Deploy with these settings."""
        self._settings = settings
        self.machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"

    @contextmanager
    def deployed(self, value: ThumbnailsOn, stacks: tuple[str, ...]) -> Iterator[Sandbox]:
        """Deploy stacks to a new emulator, and remove it when the block ends.

        Raises:
            SandboxError: A step failed.
        """
        with running_sandbox(context={**self._settings, "thumbnails_on": value}) as sandbox:
            sandbox.deploy(*stacks)
            with sandbox.emulator.accelerated_metrics(_METRIC_SPEED):
                yield sandbox

    def start(self, option: Option, deployment: Deployment) -> None:
        """Remember the calls so far, and the processes, which have ended."""
        assert isinstance(deployment, Sandbox)
        self._calls, self._usage = calls(deployment.emulator), Counter(usage(deployment.emulator))

    def measure(self, option: Option, deployment: Deployment, photos: int) -> dict[str, Any]:
        """Return the fields of `Measurement` that the emulator knows."""
        assert isinstance(deployment, Sandbox)
        role = consumer_role(option, deployment)
        new = Counter(usage(deployment.emulator)) - self._usage
        processes = [process for process in new.elements() if process.role == role]
        counts = calls(deployment.emulator) - self._calls
        return {
            "calls_per_photo": {
                action: count / photos for (caller, action), count in sorted(counts.items()) if caller == role
            },
            "cpu_seconds_per_photo": sum(process.cpu_seconds for process in processes) / photos,
            "peak_bytes": max((process.peak_bytes for process in processes), default=None),
        }

    def environment(self, deployment: Deployment) -> Mapping[str, str]:
        """Return the environment variables with which `python -m operations` reaches a deployment."""
        assert isinstance(deployment, Sandbox)
        return deployment.cdk.environment()
