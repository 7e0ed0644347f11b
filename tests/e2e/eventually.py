"""Wait for results of asynchronous work."""

import time
from collections.abc import Callable
from typing import Any

from tests.target import TARGET

# In an account, queues deliver later, and the first job waits until its instance has started.
_PATIENCE = 1 if TARGET == "local" else 10


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Poll a condition until it is true.

    Args:
        condition: Called every 0.1 seconds.
        seconds: Timeout in a sandbox. In an account it is ten times as long.

    Returns:
        The first true value of the condition.

    Raises:
        AssertionError: If the condition is still false at the timeout.
    """
    deadline = time.monotonic() + seconds * _PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"Not true after {seconds * _PATIENCE} seconds"
        time.sleep(0.1)
    return value
