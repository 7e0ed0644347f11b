"""The clients: each does its steps, all of them at once."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from local.sandbox import Sandbox
from tests.soak.plan import Plan, Step


class Clients:
    """Threads, one for each client of the plan.

    spread: seconds from the first step to the last
    done: steps so far
    """

    def __init__(self, sandbox: Sandbox, plan: Plan, pictures: Mapping[str, bytes], spread: float) -> None:
        self.done = 0
        self._spread = spread
        self._bucket = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        self._pictures = pictures
        self._lock = threading.Lock()
        self._errors: list[Exception] = []
        # boto3 makes clients in one thread only; a client is then good for any.
        self._threads = [
            threading.Thread(target=self._run, args=(sandbox.client("s3"), steps), daemon=True)
            for steps in plan.clients
        ]

    def start(self) -> None:
        """Begin, and return at once."""
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether any has steps left. Raises what a client was answered, if that was an error."""
        if self._errors:
            raise self._errors[0]
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, s3: Any, steps: list[Step]) -> None:
        start = time.monotonic()
        try:
            for step in steps:
                time.sleep(max(0, start + step.moment * self._spread - time.monotonic()))
                self._do(s3, step)
                with self._lock:
                    self.done += 1
        except Exception as error:
            self._errors.append(error)

    def _do(self, s3: Any, step: Step) -> None:
        where = {"Bucket": self._bucket, "Key": step.key}
        if step.picture is None:
            s3.delete_object(**where)
        else:
            s3.put_object(**where, Body=self._pictures[step.picture])
