"""EventBridge Scheduler: a schedule keeps its time zone, acts by its role, and has a dead-letter queue.

On paper only: the emulator starts it by UTC, and once, whatever retries its target has.
"""

import json
from typing import Any

from ministack.core.iam_evaluator import pin_request_origin
from ministack.services import eventbridge, scheduler, sqs
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension import iam_roles

_TICK_SECONDS = 1


def extend() -> None:
    """Keep what the handler of schedules drops, and start targets as their schedule's role."""
    schedule = _RESOURCE_HANDLERS["AWS::Scheduler::Schedule"]
    create, update = schedule["create"], schedule["update"]
    invoke = eventbridge._invoke_target
    sqs._act_send_message, sqs._queue_url  # noqa: B018  # stop early if gone
    if scheduler._SCHEDULE_TICK_INTERVAL < _TICK_SECONDS:
        raise AttributeError("scheduler._SCHEDULE_TICK_INTERVAL")

    def create_with_time_zone(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        result = create(logical_id, props, stack_name)
        _keep_time_zone(result[0], props)
        return result

    def update_with_time_zone(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        result = update(name, old, new, stack_name)
        _keep_time_zone(result[0], new)
        return result

    def invoke_as_role(target: dict[str, Any], event: dict[str, Any], *args: Any) -> None:
        by_schedule = event.get("Source") == "aws.scheduler" and ":lambda:" in target["Arn"]
        if not by_schedule or iam_roles.is_allowed(target["RoleArn"], "lambda:InvokeFunction", target["Arn"]):
            invoke(target, event, *args)
        else:
            _give_up(target, event)

    schedule.update(create=create_with_time_zone, update=update_with_time_zone)
    eventbridge._invoke_target = invoke_as_role
    scheduler._SCHEDULE_TICK_INTERVAL = _TICK_SECONDS


def _keep_time_zone(name: str, props: dict[str, Any]) -> None:
    kept = scheduler._schedules[f"{props.get('GroupName', 'default')}/{name}"]
    kept["ScheduleExpressionTimezone"] = props.get("ScheduleExpressionTimezone", "UTC")


def _give_up(target: dict[str, Any], event: dict[str, Any]) -> None:
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if queue and iam_roles.is_allowed(target["RoleArn"], "sqs:SendMessage", queue):
        pin_request_origin("127.0.0.1", True)  # services of AWS come over TLS, and queues ask for it
        sqs._act_send_message({"MessageBody": json.dumps(event)}, sqs._queue_url(queue.rpartition(":")[2]))
