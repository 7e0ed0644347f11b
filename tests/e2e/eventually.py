"""Wait for results of asynchronous work."""

import time
from collections.abc import Callable
from typing import Any

from tests.target import TARGET

# Long enough for a slow machine under load. In an account, queues deliver later, and the first job waits until its
# instance has started.
_TIMEOUT_SECONDS = 180 if TARGET == "local" else 600


def eventually(condition: Callable[[], Any]) -> Any:
    """Poll a condition until it is true.

    Args:
        condition: Called every 0.1 seconds.

    Returns:
        The first true value of the condition.

    Raises:
        AssertionError: If the condition is still false at the timeout.
    """
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"Not true after {_TIMEOUT_SECONDS} seconds"
        time.sleep(0.1)
    return value
