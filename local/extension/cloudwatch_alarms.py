"""Alarms as on AWS: each looks at its own metric, over its own periods, and EventBridge hears of each change.

The emulator takes all metrics of one name for one, whatever queue or function they are of, sees no missing data, and
tells only an alarm's own actions. On paper only: alarms on expressions over metrics.
"""

import operator
import time
from typing import Any

from ministack.services import cloudwatch

from local.extension.cloudwatch_metrics import speed
from local.extension.service_events import emit_event

_BREACHES = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def extend() -> None:
    """Evaluate as AWS does, and send the event beside what the emulator does when an alarm changes."""
    act = cloudwatch._dispatch_alarm_actions
    cloudwatch._evaluate_alarm, cloudwatch._evaluate_parent_alarms  # noqa: B018  # stop early if gone

    def act_and_tell(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
        act(alarm, old_state, new_state, reason)
        emit_event(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            alarm["AlarmArn"],
            {
                "alarmName": alarm["AlarmName"],
                "state": {"value": new_state, "reason": reason},
                "previousState": {"value": old_state},
                "configuration": {"description": alarm.get("AlarmDescription", "")},
            },
        )

    cloudwatch._dispatch_alarm_actions = act_and_tell
    cloudwatch._evaluate_alarm = _evaluate


def _evaluate(alarm: dict[str, Any]) -> None:
    """Give the alarm the state that its metric asks for."""
    if not alarm.get("MetricName"):
        return
    values = [_value(alarm, period) for period in range(alarm["EvaluationPeriods"])]
    state = _state(alarm, values)
    old = alarm["StateValue"]
    if state == old:
        return
    alarm["StateValue"] = state
    alarm["StateReason"] = f"{alarm['MetricName']} was {values}, the threshold is {alarm['Threshold']:g}"
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old, state, alarm["StateReason"])
    cloudwatch._dispatch_alarm_actions(alarm, old, state, alarm["StateReason"])
    cloudwatch._evaluate_parent_alarms(alarm)


def _value(alarm: dict[str, Any], ago: int) -> float | None:
    """The alarm's statistic of one period, counted backwards from now; None if there is no data."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions", [])))
    seconds = alarm["Period"] / speed()
    end = time.time() - ago * seconds
    measured = list(cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    points = [point for point in measured if end - seconds < point["Timestamp"] <= end]
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points) if points else None


def _state(alarm: dict[str, Any], values: list[float | None]) -> str:
    """What these values mean (CloudWatch guide, "Configuring how CloudWatch alarms treat missing data")."""
    missing = {"breaching": True, "notBreaching": False}.get(alarm.get("TreatMissingData", "missing"))
    breaches = _BREACHES[alarm["ComparisonOperator"]]
    verdicts = [missing if value is None else breaches(value, alarm["Threshold"]) for value in values]
    known = [verdict for verdict in verdicts if verdict is not None]
    if not known:
        return str(alarm["StateValue"]) if alarm.get("TreatMissingData") == "ignore" else "INSUFFICIENT_DATA"
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    return "ALARM" if sum(known) >= needed else "OK"
