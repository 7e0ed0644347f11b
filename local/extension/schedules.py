"""EventBridge Scheduler: a schedule keeps its time zone and its target's retries when CloudFormation makes it.

On paper only: the emulator starts it by UTC, once, and knows no dead-letter queue of a schedule.
"""

from typing import Any

from ministack.services import scheduler
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS


def extend() -> None:
    """Keep what the handler of schedules drops."""
    schedule = _RESOURCE_HANDLERS["AWS::Scheduler::Schedule"]
    create = schedule["create"]

    def create_with_time_zone(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        result = create(logical_id, props, stack_name)
        kept = scheduler._schedules[f"{props.get('GroupName', 'default')}/{result[0]}"]
        kept["ScheduleExpressionTimezone"] = props.get("ScheduleExpressionTimezone", "UTC")
        return result

    schedule.update(create=create_with_time_zone)
