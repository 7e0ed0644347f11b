"""CloudWatch alarms: evaluation by dimension, period, and missing data, metric math, and an event for each change.

The emulator evaluates all metrics of one name together, regardless of dimensions, ignores missing data, and runs only
the alarm's own actions. It rejects metric math, of which `metric_math.py` emulates a part.
"""

import functools
import operator
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.extension.cloudformation import Properties
from local.extension.cloudwatch_metrics import speed
from local.extension.metric_math import Expression, Value
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
    provisioners._cw_metric_alarm_record = functools.partial(_alarm_record, provisioners._cw_metric_alarm_record)


def _alarm_record(record: Any, name: str, props: Properties) -> dict[str, Any]:
    """Return the alarm of a template. Raises ValueError for metric math that is invalid or not emulated."""
    if "Metrics" not in props:
        return record(name, props)  # type: ignore[no-any-return]
    queries = {query["Id"]: query for query in props["Metrics"]}
    if len(_returned(props)) != 1:
        raise ValueError("Metrics: exactly one entry must have ReturnData")
    for query_id in queries:
        _check_query(query_id, queries, ())
    one_metric = {"MetricName": "-", "Namespace": "-"}
    alarm: dict[str, Any] = record(name, {**props, "Metrics": None, **one_metric})
    for field in (*one_metric, "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit"):
        del alarm[field]
    return alarm | {"Metrics": props["Metrics"]}


def _returned(props: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [query for query in props["Metrics"] if query.get("ReturnData", True)]


def _check_query(query_id: str, queries: Mapping[str, Any], users: tuple[str, ...]) -> None:
    """Raise ValueError if an expression is invalid, not emulated, or uses itself."""
    if query_id in users:
        raise ValueError(f"Metrics: the expressions {', '.join(users)} use each other")
    if "Expression" in queries[query_id]:
        for used in Expression(queries[query_id]["Expression"], queries).ids:
            _check_query(used, queries, (*users, query_id))


def evaluate_alarm(alarm: dict[str, Any]) -> None:
    """Update the state of a metric alarm, and run its actions if the state changes."""
    values = alarm_values(alarm)
    state, old = _state(alarm, values), alarm["StateValue"]
    if state == old:
        return
    name = alarm.get("MetricName") or (returned := _returned(alarm)[0]).get("Label") or returned["Id"]
    reason = f"{name} was {values}, the threshold is {alarm['Threshold']:g}"
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def alarm_values(alarm: Mapping[str, Any]) -> list[Value]:
    """Return the values that an alarm compares with its threshold, one for each evaluation period, newest first."""
    if "Metrics" in alarm:
        queries = {query["Id"]: query for query in alarm["Metrics"]}
        returned = _returned(alarm)[0]["Id"]
        return [_query_value(returned, queries, ago) for ago in range(alarm["EvaluationPeriods"])]
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return [_statistic(alarm, statistic, alarm["Period"], ago) for ago in range(alarm["EvaluationPeriods"])]


def _query_value(query_id: str, queries: Mapping[str, Any], periods_ago: int) -> Value:
    query = queries[query_id]
    if "Expression" in query:
        expression = Expression(query["Expression"], queries)
        return expression.evaluate({used: _query_value(used, queries, periods_ago) for used in expression.ids})
    metric = query["MetricStat"]
    return _statistic(metric["Metric"], metric["Stat"], metric["Period"], periods_ago)


def _statistic(metric: Mapping[str, Any], statistic: str, period: float, periods_ago: int) -> Value:
    """Return the statistic of one period, or None without data points. Periods end now, not at full minutes."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(metric.get("Dimensions", [])))
    seconds = period / speed()
    end = time.time() - periods_ago * seconds
    recorded = list(cloudwatch._metrics.get((metric["Namespace"], metric["MetricName"], dimensions)) or [])
    points = [point for point in recorded if end - seconds < point["Timestamp"] <= end]
    return cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points) if points else None


def _state(alarm: dict[str, Any], values: list[Value]) -> str:
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
