"""What Lambda and Firehose do with the role of a function or a stream needs the role's rights, here as on AWS.

Lambda writes a function's log, reads its queue and sends what failed for good; Firehose writes to its bucket. On paper
only: traces of X-Ray, which the emulator does not take.
"""

from typing import Any

from ministack.services import firehose, lambda_svc, sqs

from local.extension import iam_roles


def extend() -> None:
    """Ask before each of them."""
    _write_logs()
    _read_queues()
    _send_failures()
    _deliver()


def _write_logs() -> None:
    write = lambda_svc._emit_lambda_logs

    def write_if_allowed(func: dict[str, Any], *args: Any, **options: Any) -> None:
        config = func.get("config") or func
        group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        arn = f"arn:aws:logs:{':'.join(config['FunctionArn'].split(':')[3:5])}:log-group:{group}:*"
        if all(
            iam_roles.is_allowed(config["Role"], action, arn)
            for action in ("logs:CreateLogStream", "logs:PutLogEvents")
        ):
            write(func, *args, **options)

    lambda_svc._emit_lambda_logs = write_if_allowed


def _read_queues() -> None:
    receive, delete = sqs._receive_messages_for_esm, sqs._delete_messages_for_esm
    # Lambda asks for all three before it takes the mapping (Lambda guide, "Using Lambda with Amazon SQS").
    needed = ("sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage")

    def receive_if_allowed(url: str, *args: Any) -> Any:
        queue = sqs._queues[url]
        return receive(url, *args) if queue["messages"] and _reader_may(queue, *needed) else []

    def delete_if_allowed(url: str, *args: Any) -> Any:
        return delete(url, *args) if _reader_may(sqs._queues[url], "sqs:DeleteMessage") else None

    sqs._receive_messages_for_esm = receive_if_allowed
    sqs._delete_messages_for_esm = delete_if_allowed


def _reader_may(queue: dict[str, Any], *actions: str) -> bool:
    """Whether the function that a queue is mapped to may do this with it."""
    arn = queue["attributes"]["QueueArn"]
    readers = [esm["FunctionName"] for _, _, esm in lambda_svc._iter_all_esms() if esm.get("EventSourceArn") == arn]
    functions = [lambda_svc._functions[name]["config"] for name in readers if name in lambda_svc._functions]
    return all(iam_roles.is_allowed(config["Role"], action, arn) for config in functions for action in actions)


def _send_failures() -> None:
    send = lambda_svc._route_async_failure

    def send_if_allowed(target: str, function: str, *args: Any) -> None:
        role = lambda_svc._functions[function]["config"]["Role"]
        if ":sqs:" not in target or iam_roles.is_allowed(role, "sqs:SendMessage", target):
            send(target, function, *args)

    lambda_svc._route_async_failure = send_if_allowed


def _deliver() -> None:
    deliver = firehose._deliver_to_s3

    def deliver_if_allowed(stream: dict[str, Any], destination: dict[str, Any], *args: Any) -> None:
        config = destination["config"]
        if iam_roles.is_allowed(config["RoleARN"], "s3:PutObject", f"{config['BucketARN']}/{stream['name']}"):
            deliver(stream, destination, *args)

    firehose._deliver_to_s3 = deliver_if_allowed
