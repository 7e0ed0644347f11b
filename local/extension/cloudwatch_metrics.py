"""CloudWatch's metrics of queues and functions, once a minute as on AWS, and alarms evaluated as often.

The emulator makes hardly any metrics by itself. Here are those that the alarms of these stacks may watch: of each SQS
queue how many messages wait and for how long, of each Lambda function calls, errors, throttles and duration. Those of
REST APIs come from `rest_apis.py`.

A number in the file `metric-speed` of the sandbox's folder makes the time of metrics run so many times as fast as the
clock: a test sees in a second what takes five minutes.
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc, sqs

_MINUTE = 60
_TICK_SECONDS = 0.2

_speed = 1.0


def speed() -> float:
    """How many times as fast as the clock the time of metrics runs."""
    return _speed


def extend() -> None:
    """Count what functions do, and start the pump."""
    cloudwatch._metrics, cloudwatch._alarms, cloudwatch._evaluate_all_alarms, sqs._queues  # noqa: B018  # stop early if gone
    emit, dispatch = lambda_svc._emit_lambda_metrics, lambda_svc._execute_function_dispatch

    def dispatch_and_count(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        result = dispatch(func, config, event, request_id, started)
        emit(config["FunctionName"], (time.time() - started) * 1000, bool(result.get("error")), False)
        return result

    def emit_throttles(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:  # all else is counted above, where every call passes, not those of the API alone
            emit(name, duration_ms, error, throttle)

    lambda_svc._execute_function_dispatch = dispatch_and_count
    lambda_svc._emit_lambda_metrics = emit_throttles
    threading.Thread(target=_pump, args=(Path(os.environ["SANDBOX_FOLDER"]) / "metric-speed",), daemon=True).start()


def _pump(file: Path) -> None:
    global _speed
    next_minute = 0.0
    while True:
        time.sleep(_TICK_SECONDS)
        wanted = float(file.read_text()) if file.exists() else 1.0
        if wanted != _speed:
            # What was measured in another time says nothing in this one.
            cloudwatch._metrics._data.clear()
            _speed, next_minute = wanted, 0.0
        if time.monotonic() >= next_minute:
            next_minute = time.monotonic() + _MINUTE / _speed
            _measure_queues()
            _evaluate_alarms()


def _measure_queues() -> None:
    for (account, region, _), queue in list(sqs._queues._data.items()):
        with request_scope(account, region):
            for name, value in _of_queue(queue):
                cloudwatch.record_metric("AWS/SQS", name, value, "None", {"QueueName": queue["name"]})


def _of_queue(queue: dict[str, Any]) -> Iterator[tuple[str, float]]:
    with sqs._queues_lock:
        sqs._refresh_counts(queue)
        sent = [message["sent_at"] for message in queue["messages"]]
    oldest = (time.time() - min(sent)) * _speed if sent else 0
    yield "ApproximateNumberOfMessagesVisible", float(queue["attributes"]["ApproximateNumberOfMessages"])
    yield "ApproximateNumberOfMessagesNotVisible", float(queue["attributes"]["ApproximateNumberOfMessagesNotVisible"])
    yield "ApproximateAgeOfOldestMessage", oldest


def _evaluate_alarms() -> None:
    for account, region in {scoped[:2] for scoped in list(cloudwatch._alarms._data)}:
        with request_scope(account, region):
            cloudwatch._evaluate_all_alarms()
