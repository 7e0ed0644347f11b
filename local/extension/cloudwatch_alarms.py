"""CloudWatch alarms: evaluation by dimension, period, and missing data, and an event for each change of state.

The emulator evaluates all metrics of one name together, regardless of dimensions, ignores missing data, and runs only
the alarm's own actions. Not emulated: alarms on metric math.
"""

import operator
import time
from typing import Any

from ministack.services import cloudwatch

from local.extension.cloudwatch_metrics import speed
from local.extension.service_events import emit_event

_IS_BREACHING = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def extend() -> None:
    """Replace the evaluation, and emit events."""
    run_actions = cloudwatch._dispatch_alarm_actions

    def run_actions_and_emit(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
        run_actions(alarm, old_state, new_state, reason)
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

    cloudwatch._dispatch_alarm_actions = run_actions_and_emit
    cloudwatch._evaluate_alarm = evaluate_alarm


def evaluate_alarm(alarm: dict[str, Any]) -> None:
    """Update the state of a metric alarm, and run its actions if the state changes."""
    if not alarm.get("MetricName"):
        return
    values = [_statistic(alarm, periods_ago) for periods_ago in range(alarm["EvaluationPeriods"])]
    state, old = _state(alarm, values), alarm["StateValue"]
    if state == old:
        return
    reason = f"{alarm['MetricName']} was {values}, the threshold is {alarm['Threshold']:g}"
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _statistic(alarm: dict[str, Any], periods_ago: int) -> float | None:
    """Return the statistic of one period, or None without data points. Periods end now, not at full minutes."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions", [])))
    seconds = alarm["Period"] / speed()
    end = time.time() - periods_ago * seconds
    recorded = list(cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    points = [point for point in recorded if end - seconds < point["Timestamp"] <= end]
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points) if points else None


def _state(alarm: dict[str, Any], values: list[float | None]) -> str:
    """Return the state for these values, one for each period.

    See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    missing = {"breaching": True, "notBreaching": False}.get(alarm.get("TreatMissingData", "missing"))
    is_breaching = _IS_BREACHING[alarm["ComparisonOperator"]]
    verdicts = [missing if value is None else is_breaching(value, alarm["Threshold"]) for value in values]
    known = [verdict for verdict in verdicts if verdict is not None]
    if not known:
        return str(alarm["StateValue"]) if alarm.get("TreatMissingData") == "ignore" else "INSUFFICIENT_DATA"
    required = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    return "ALARM" if sum(known) >= required else "OK"
