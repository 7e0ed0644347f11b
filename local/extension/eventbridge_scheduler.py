"""EventBridge Scheduler: the time zone, role, scheduled time, dead-letter queue, and universal targets of a schedule.

A universal target calls any API action: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html

Not emulated: the emulator starts schedules in UTC regardless of the time zone, and does not retry.
"""

import json
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.iam_evaluator import pin_request_origin
from ministack.services import eventbridge, scheduler, sqs

from local.extension.cloudformation import Properties, wrap
from local.extension.iam_roles import client_for_role, is_allowed

_UNIVERSAL_TARGET = "arn:aws:scheduler:::aws-sdk:"

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


def extend() -> None:
    """Keep the time zone of schedules, and invoke targets with the role of the schedule."""
    invoke = eventbridge._invoke_target

    def invoke_with_role(target: dict[str, Any], event: dict[str, Any], *args: Any) -> None:
        is_scheduled = event.get("Source") == "aws.scheduler"
        if is_scheduled and "Input" in target:
            time = f"{datetime.fromtimestamp(event['Time'], UTC):%Y-%m-%dT%H:%M:%SZ}"
            target = target | {"Input": target["Input"].replace(_SCHEDULED_TIME, time)}
        if is_scheduled and target["Arn"].startswith(_UNIVERSAL_TARGET):
            try:
                _call_api(target)
            except (BotoCoreError, ClientError):
                _send_to_dead_letter_queue(target, event)
            return
        is_checked = is_scheduled and ":lambda:" in target["Arn"]
        if not is_checked or is_allowed(target["RoleArn"], "lambda:InvokeFunction", target["Arn"]):
            invoke(target, event, *args)
        else:
            _send_to_dead_letter_queue(target, event)

    wrap("AWS::Scheduler::Schedule", after=_keep_time_zone)
    eventbridge._invoke_target = invoke_with_role
    scheduler._SCHEDULE_TICK_INTERVAL = 1  # second


def _keep_time_zone(name: str, props: Properties) -> None:
    schedule = scheduler._schedules[f"{props.get('GroupName', 'default')}/{name}"]
    schedule["ScheduleExpressionTimezone"] = props.get("ScheduleExpressionTimezone", "UTC")


def _call_api(target: dict[str, Any]) -> None:
    """Call the API action of a universal target with the role of the schedule. Raises the errors of botocore."""
    service, action = target["Arn"].removeprefix(_UNIVERSAL_TARGET).split(":")
    client = client_for_role(service, target["RoleArn"], "schedule")
    getattr(client, xform_name(action))(**json.loads(target.get("Input", "{}")))


def _send_to_dead_letter_queue(target: dict[str, Any], event: dict[str, Any]) -> None:
    queue = target.get("DeadLetterConfig", {}).get("Arn")
    if queue and is_allowed(target["RoleArn"], "sqs:SendMessage", queue):
        pin_request_origin("127.0.0.1", True)  # AWS services use TLS, which the queue policy requires
        sqs._act_send_message({"MessageBody": json.dumps(event)}, sqs._queue_url(queue.rpartition(":")[2]))
