"""Clients that upload and delete photos concurrently."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from local.sandbox import Sandbox
from tests.soak.plan import Plan, Request


class Clients:
    """One thread for each client of a plan.

    Attributes:
        completed: Number of requests that succeeded so far.
    """

    def __init__(self, sandbox: Sandbox, plan: Plan, images: Mapping[str, bytes], duration: float) -> None:
        """Create the threads.

        Args:
            images: Files by the names that the plan uses.
            duration: Seconds over which the requests are spread.
        """
        self.completed = 0
        self._duration = duration
        self._bucket = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        self._images = images
        self._lock = threading.Lock()
        self._errors: list[Exception] = []
        # Creating a boto3 client is not thread-safe. Using one is.
        s3 = sandbox.client("s3")
        self._threads = [threading.Thread(target=self._run, args=(s3, it), daemon=True) for it in plan.clients]

    def start(self) -> None:
        """Start the threads and return."""
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether a client has requests left. Raises the first error of a client."""
        if self._errors:
            raise self._errors[0]
        return any(thread.is_alive() for thread in self._threads)

    def _run(self, s3: Any, requests: list[Request]) -> None:
        start = time.monotonic()
        try:
            for request in requests:
                time.sleep(max(0, start + request.time * self._duration - time.monotonic()))
                target = {"Bucket": self._bucket, "Key": request.key}
                if request.image is None:
                    s3.delete_object(**target)
                else:
                    s3.put_object(**target, Body=self._images[request.image])
                with self._lock:
                    self.completed += 1
        except Exception as error:
            self._errors.append(error)
