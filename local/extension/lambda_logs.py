"""Lambda logs: no wait for lines that a function has not written, IDs of events, and the reason why one cannot start.

The emulator waits 50 ms for a first line after each invocation. A function writes its log before it returns, so when
the pipe is empty after the response, no line follows. The emulator gives IDs only to events that clients put.
"""

import queue
import select
import time
import uuid
from typing import Any

from ministack.core.lambda_runtime import Worker
from ministack.services import cloudwatch_logs, lambda_svc

# Milliseconds without a line until the log is complete: enough for the emulator's thread to hand over a line.
_QUIET_MS = 5
_MAX_MS = 250


def extend() -> None:
    """Poll the pipe instead of waiting, and add the IDs and the reasons."""
    append = cloudwatch_logs._append_log_events

    def append_with_ids(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
        append(stream, [{"eventId": str(uuid.uuid4()), **event} for event in events])

    cloudwatch_logs._append_log_events = append_with_ids

    execute = lambda_svc._execute_function_warm

    def execute_and_log_init_errors(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event, request_id)
        if result.get("error") and not result.get("log"):
            reason = str(result["body"].get("errorMessage")).removeprefix("Worker init failed: ")
            # AWS logs this line in the same form.
            handler = (func.get("config") or func).get("Handler")
            result["log"] = f"[ERROR] Runtime.ImportModuleError: Unable to import '{handler}': {reason}"
        return result

    lambda_svc._execute_function_warm = execute_and_log_init_errors
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
