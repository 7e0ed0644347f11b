"""Metrics of queues, which SQS reports only while they describe a message."""

from collections.abc import Iterator

import pytest
from ministack.core.responses import request_scope
from ministack.services import sqs

from local.emulator import ACCOUNT, REGION
from local.extension.cloudwatch_metrics import _queue_metrics


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    """An account without queues."""
    with request_scope(ACCOUNT, REGION):
        yield
        sqs.reset()


def test_queue_reports_age_and_messages_in_flight_only_while_there_are_such_messages() -> None:
    sqs._act_create_queue({"QueueName": "queue"}, "")
    (url,) = sqs._queues
    queue = sqs._queues[url]
    visible, in_flight, age = (
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateAgeOfOldestMessage",
    )
    assert dict(_queue_metrics(queue)) == {visible: 0}
    sqs._act_send_message({"MessageBody": "-"}, url)
    waiting = dict(_queue_metrics(queue))
    assert waiting[visible] == 1
    assert waiting.keys() == {visible, age}
    sqs._receive_messages_for_esm(url, 1)
    received = dict(_queue_metrics(queue))
    assert (received[visible], received[in_flight]) == (0, 1)
    assert received.keys() == {visible, in_flight, age}
