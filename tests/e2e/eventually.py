"""What comes about by itself, and when is not ours to say."""

import time
from collections.abc import Callable
from typing import Any

from tests.target import TARGET

# Queues hand out later there, and the first job waits for its host to start.
_TIMES_AS_PATIENT = 1 if TARGET == "local" else 10


def eventually(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What `look` answers, as soon as that is true. Raises AssertionError if that does not come in time."""
    deadline = time.monotonic() + seconds * _TIMES_AS_PATIENT
    while not (seen := look()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
    return seen
