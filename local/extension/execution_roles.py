"""Execution roles: functions get credentials, and Lambda and Firehose act only if the role allows it.

The emulator ignores these roles, and derives the credentials from the name of a function. Emulated: Lambda writes logs,
polls queues, and sends failed events to a queue; Firehose writes to its bucket. Not emulated: X-Ray traces.
"""

import functools
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import firehose, lambda_svc, sqs

from local.extension.iam_roles import is_allowed, session_environment
from local.extension.measurements import count_call


def extend() -> None:
    """Start random sessions, and check the role before each action."""
    _start_sessions()
    _check_logging()
    _check_polling()
    _check_failure_destination()
    _check_delivery()


def _start_sessions() -> None:
    """Give each function a session of its role."""
    start = functools.cache(session_environment)

    def session_of_role(config: dict[str, Any]) -> dict[str, str]:
        return start(config["Role"], config["FunctionName"])

    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = session_of_role


def _check_logging() -> None:
    write = lambda_svc._emit_lambda_logs

    def write_if_allowed(func: dict[str, Any], *args: Any, **options: Any) -> None:
        config = func.get("config") or func
        group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        arn = f"arn:aws:logs:{':'.join(config['FunctionArn'].split(':')[3:5])}:log-group:{group}:*"
        if all(is_allowed(config["Role"], f"logs:{call}", arn) for call in ("CreateLogStream", "PutLogEvents")):
            write(func, *args, **options)

    lambda_svc._emit_lambda_logs = write_if_allowed


def _check_polling() -> None:
    receive, delete = sqs._receive_messages_for_esm, sqs._delete_messages_for_esm
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
    required = ("sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage")

    def receive_if_allowed(url: str, *args: Any) -> Any:
        queue = sqs._queues[url]
        messages = receive(url, *args) if queue["messages"] and _can_poll(queue, *required) else []
        if messages:
            _count(queue, "sqs:ReceiveMessage")
        return messages

    def delete_if_allowed(url: str, *args: Any) -> Any:
        if not _can_poll(sqs._queues[url], "sqs:DeleteMessage"):
            return None
        _count(sqs._queues[url], "sqs:DeleteMessage")
        return delete(url, *args)

    sqs._receive_messages_for_esm = receive_if_allowed
    sqs._delete_messages_for_esm = delete_if_allowed


def _can_poll(queue: dict[str, Any], *actions: str) -> bool:
    """Return whether the function that this queue is mapped to is allowed these actions."""
    arn = queue["attributes"]["QueueArn"]
    return all(is_allowed(role, action, arn) for role in _polling_roles(queue) for action in actions)


def _count(queue: dict[str, Any], action: str) -> None:
    for role in _polling_roles(queue):
        count_call(role, action)


def _polling_roles(queue: dict[str, Any]) -> list[str]:
    """Return the roles of the functions that this queue is mapped to."""
    arn = queue["attributes"]["QueueArn"]
    names = [esm["FunctionName"] for _, _, esm in lambda_svc._iter_all_esms() if esm.get("EventSourceArn") == arn]
    return [lambda_svc._functions[name]["config"]["Role"] for name in names if name in lambda_svc._functions]


def _check_failure_destination() -> None:
    send = lambda_svc._route_async_failure

    def send_if_allowed(target: str, function: str, *args: Any) -> None:
        role = lambda_svc._functions[function]["config"]["Role"]
        if ":sqs:" not in target or is_allowed(role, "sqs:SendMessage", target):
            send(target, function, *args)

    lambda_svc._route_async_failure = send_if_allowed


def _check_delivery() -> None:
    deliver = firehose._deliver_to_s3

    def deliver_if_allowed(stream: dict[str, Any], destination: dict[str, Any], *args: Any) -> None:
        config = destination["config"]
        if is_allowed(config["RoleARN"], "s3:PutObject", f"{config['BucketARN']}/{stream['name']}"):
            deliver(stream, destination, *args)

    firehose._deliver_to_s3 = deliver_if_allowed
