"""Amazon SQS: message-move tasks (`StartMessageMoveTask`, `ListMessageMoveTasks`), which the emulator lacks.

A task is synchronous: it is complete when `StartMessageMoveTask` returns. As on AWS, a moved message has a new id.
See "StartMessageMoveTask" in the Amazon SQS API Reference.
"""

import time
import uuid
from typing import Any

from ministack.services import sqs

_tasks: dict[str, list[dict[str, Any]]] = {}


def extend() -> None:
    """Add both actions."""
    sqs._HANDLERS |= {"StartMessageMoveTask": _start, "ListMessageMoveTasks": _list}


def _start(request: dict[str, Any], _url: str) -> dict[str, Any]:
    queue, now = sqs._queue_by_arn(request["SourceArn"]), time.time()
    if queue is None:
        raise sqs._Err("ResourceNotFoundException", f"The queue {request['SourceArn']} does not exist.")
    kept = []
    for message in queue["messages"]:
        destination = sqs._queue_by_arn(message["sys"].get("DeadLetterQueueSourceArn", ""))
        if destination is None or message["visible_at"] > now:
            kept.append(message)
            continue
        new = {"id": str(uuid.uuid4()), "sent_at": now, "receive_count": 0, "first_receive_at": None}
        destination["messages"].append(message | new)
    task = {"Status": "COMPLETED", "SourceArn": request["SourceArn"], "StartedTimestamp": int(now * 1000)}
    task["ApproximateNumberOfMessagesMoved"] = len(queue["messages"]) - len(kept)
    _tasks.setdefault(request["SourceArn"], []).insert(0, task)
    queue["messages"] = kept
    sqs.esm_wake.set()
    return {"TaskHandle": str(uuid.uuid4())}


def _list(request: dict[str, Any], _url: str) -> dict[str, Any]:
    return {"Results": _tasks.get(request["SourceArn"], [])[: request.get("MaxResults", 1)]}
