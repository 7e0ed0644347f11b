"""CloudWatch metrics of SQS queues and Lambda functions, once a minute, and the evaluation of alarms.

The emulator publishes hardly any metrics. This module adds those that the alarms of these stacks can use: for each
queue the number of messages and the age of the oldest; for each function invocations, errors, throttles, and duration.
`rest_apis.py` adds those of REST APIs.

The file `metric-speed` in the sandbox folder can hold a factor by which metric time runs faster than the clock, so that
a test sees in one second what takes five minutes.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc, sqs

_TICK_SECONDS = 0.2

# What other modules do each minute of metric time after the evaluation of the alarms, in the scope of each account.
after_evaluation: list[Callable[[], None]] = []

_speed = 1.0


def speed() -> float:
    """Return the factor by which metric time runs faster than the clock."""
    return _speed


def extend() -> None:
    """Record the metrics of functions, and start the thread that publishes those of queues."""
    emit, dispatch = lambda_svc._emit_lambda_metrics, lambda_svc._execute_function_dispatch

    def dispatch_and_emit(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        result = dispatch(func, config, event, request_id, started)
        emit(config["FunctionName"], (time.time() - started) * 1000, bool(result.get("error")), False)
        return result

    def emit_throttles(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:  # `dispatch_and_emit` records the rest, for every source of invocations
            emit(name, duration_ms, error, throttle)

    lambda_svc._execute_function_dispatch = dispatch_and_emit
    lambda_svc._emit_lambda_metrics = emit_throttles
    file = Path(os.environ["SANDBOX_FOLDER"]) / "metric-speed"
    threading.Thread(target=_publish, args=(file,), daemon=True).start()


def _publish(file: Path) -> None:
    global _speed
    next_minute = 0.0
    while True:
        time.sleep(_TICK_SECONDS)
        requested = float(file.read_text()) if file.exists() else 1.0
        if requested != _speed:
            # Data points recorded at another speed would fall into the wrong periods.
            cloudwatch._metrics._data.clear()
            _speed, next_minute = requested, 0.0
        if time.monotonic() >= next_minute:
            next_minute = time.monotonic() + 60 / _speed
            _publish_queue_metrics()
            _evaluate_alarms()


def _publish_queue_metrics() -> None:
    for (account, region, _), queue in list(sqs._queues._data.items()):
        with request_scope(account, region):
            for name, value in _queue_metrics(queue):
                cloudwatch.record_metric("AWS/SQS", name, value, "None", {"QueueName": queue["name"]})


def _queue_metrics(queue: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the metrics of a queue. Without messages that they describe, SQS does not report two of them.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    with sqs._queues_lock:
        sqs._refresh_counts(queue)
        sent = [message["sent_at"] for message in queue["messages"]]
    attributes = queue["attributes"]
    yield "ApproximateNumberOfMessagesVisible", float(attributes["ApproximateNumberOfMessages"])
    if in_flight := float(attributes["ApproximateNumberOfMessagesNotVisible"]):
        yield "ApproximateNumberOfMessagesNotVisible", in_flight
    if sent:
        yield "ApproximateAgeOfOldestMessage", (time.time() - min(sent)) * _speed


def _evaluate_alarms() -> None:
    for account, region in {scoped[:2] for scoped in list(cloudwatch._alarms._data)}:
        with request_scope(account, region):
            cloudwatch._evaluate_all_alarms()
            for action in after_evaluation:
                action()
