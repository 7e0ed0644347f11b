"""Lambda logs: an invocation does not wait for log lines that the function has not written.

The emulator waits 50 ms for a first line after each invocation. A function writes its log before it returns, so when
the pipe is empty after the response, no line follows.
"""

import queue
import select
import time

from ministack.core.lambda_runtime import Worker

# Milliseconds without a line until the log is complete: enough for the emulator's thread to hand over a line.
_QUIET_MS = 5
_MAX_MS = 250


def extend() -> None:
    """Poll the pipe instead of waiting."""
    wait_for_lines = Worker._drain_stderr_bounded

    def read_lines(worker: Worker, first_line_wait: float = 0.05) -> str:
        process = worker._proc
        if process is None:  # ended by an error, so its last lines can be late
            return str(wait_for_lines(worker, first_line_wait))
        pipe = process.stderr or process.stdout  # a custom runtime writes both into one pipe
        lines: list[str] = []
        quiet_ms = 0
        for _millisecond in range(_MAX_MS):
            try:
                lines.append(worker._stderr_queue.get_nowait())
                quiet_ms = 0
            except queue.Empty:
                has_more, _, _ = select.select([pipe], [], [], 0)
                quiet_ms = 0 if has_more else quiet_ms + 1
                if quiet_ms == _QUIET_MS:
                    break
                time.sleep(0.001)
        return "\n".join(lines)

    Worker._drain_stderr_bounded = read_lines
