"""SQS queues that receive messages from other services for the duration of a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from local.sandbox import Sandbox


@contextmanager
def temporary_queue(sandbox: Sandbox, sender: str) -> Iterator[tuple[str, str]]:
    """Create a queue to which an AWS service can send messages, and delete it when the block ends.

    Args:
        sender: Service principal, such as `s3.amazonaws.com`.

    Yields:
        The URL and the ARN of the queue.
    """
    sqs = sandbox.client("sqs")
    url = sqs.create_queue(QueueName=uuid4().hex)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": sender},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    try:
        yield url, arn
    finally:
        sqs.delete_queue(QueueUrl=url)


@contextmanager
def alert_inbox(sandbox: Sandbox) -> Iterator[str]:
    """Subscribe a queue to the alert topic of Guardrails while the block runs. Yields the queue's URL."""
    sns, topic = sandbox.client("sns"), sandbox.outputs["Guardrails"]["AlertTopic"]
    with temporary_queue(sandbox, "sns.amazonaws.com") as (url, arn):
        subscription = sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )["SubscriptionArn"]
        try:
            yield url
        finally:
            sns.unsubscribe(SubscriptionArn=subscription)
