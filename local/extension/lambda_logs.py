"""Lambda logs: no wait for lines that a function has not written, IDs of events, and the reason why one cannot start.

The emulator waits 50 ms for a first line after each invocation. A function writes its log before it returns, so when
the pipe is empty after the response, no line follows. The emulator gives IDs only to events that clients put.
"""

import select
import time
import uuid
from typing import Any

from ministack.core.lambda_runtime import Worker
from ministack.services import cloudwatch_logs, lambda_svc

# Without a line until the log is complete: enough for the emulator's thread to hand over a line.
_QUIET_SECONDS = 0.005
_MAX_SECONDS = 0.25


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
        deadline, has_more = time.monotonic() + _MAX_SECONDS, True
        while has_more and time.monotonic() < deadline:
            has_more = bool(select.select([pipe], [], [], 0)[0])
            lines.append(wait_for_lines(worker, _QUIET_SECONDS))
        return "\n".join(filter(None, lines))

    Worker._drain_stderr_bounded = read_lines
