"""Lambda functions: an answer does not wait for a log that the function has not written.

The emulator waits 50 ms for a first line after each call. What a function logs it writes before it answers, so once the
answer is here and the pipe is empty there is none.
"""

import queue
import select
import time

from ministack.core.lambda_runtime import Worker

# Enough for the emulator's own thread to take over a line that it has read.
_QUIET = 5
_AT_MOST = 250


def extend() -> None:
    """Look into the pipe instead of waiting."""
    drain = Worker._drain_stderr_bounded

    def drain_what_is_written(worker: Worker, first_line_wait: float = 0.05) -> str:
        process = worker._proc
        if process is None:  # ended by an error: its last words may come late
            return str(drain(worker, first_line_wait))
        lines: list[str] = []
        quiet = 0
        for _millisecond in range(_AT_MOST):
            try:
                lines.append(worker._stderr_queue.get_nowait())
                quiet = 0
            except queue.Empty:
                more, _, _ = select.select([process.stderr], [], [], 0)
                quiet = 0 if more else quiet + 1
                if quiet == _QUIET:
                    break
                time.sleep(0.001)
        return "\n".join(lines)

    Worker._drain_stderr_bounded = drain_what_is_written
