"""What reaches a topic, as an e-mail address would get it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from local.sandbox import Sandbox


@contextmanager
def alert_inbox(sandbox: Sandbox) -> Iterator[str]:
    """While the block runs, a queue gets what is published to the topic of Guardrails: its URL."""
    sqs, sns, topic = sandbox.client("sqs"), sandbox.client("sns"), sandbox.outputs["Guardrails"]["AlertTopic"]
    url: str = sqs.create_queue(QueueName=uuid4().hex)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    from_topic = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [from_topic]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )["SubscriptionArn"]
    try:
        yield url
    finally:
        sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)
