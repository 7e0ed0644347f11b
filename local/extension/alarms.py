"""EventBridge hears of each change of an alarm, as on AWS; the emulator itself tells only the alarm's own actions."""

import json
from typing import Any

from ministack.services import cloudwatch, eventbridge


def extend() -> None:
    """Send the event beside what the emulator does when an alarm changes."""
    act = cloudwatch._dispatch_alarm_actions
    eventbridge._put_events  # noqa: B018  # gone in another version: say so at the start, not at the first alarm

    def act_and_tell(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
        act(alarm, old_state, new_state, reason)
        event = {
            "Source": "aws.cloudwatch",
            "DetailType": "CloudWatch Alarm State Change",
            "Resources": [alarm["AlarmArn"]],
            "Detail": json.dumps(
                {
                    "alarmName": alarm["AlarmName"],
                    "state": {"value": new_state, "reason": reason},
                    "previousState": {"value": old_state},
                    "configuration": {"description": alarm.get("AlarmDescription", "")},
                }
            ),
        }
        eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)

    cloudwatch._dispatch_alarm_actions = act_and_tell
