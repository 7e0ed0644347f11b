"""Application Auto Scaling: the desired count of an ECS service follows the alarms that invoke its policies."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, ecs
from ministack.services.cloudformation import provisioners
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.emulator import ACCOUNT, REGION
from local.extension import application_auto_scaling, cloudwatch_alarms

pytestmark = pytest.mark.slow  # starts an emulator

_RESOURCE = "service/cluster/workers"
_TARGET = {"ResourceId": _RESOURCE, "ScalableDimension": "ecs:service:DesiredCount", "ServiceNamespace": "ecs"}


def create(resource_type: str, **properties: Any) -> str:
    """Create a resource as CloudFormation does, and return its physical ID."""
    handler = _RESOURCE_HANDLERS[resource_type]
    name: str = handler["create"](f"resource{time.monotonic_ns()}", properties, "stack")[0]
    return name


def target(*, minimum: int = 0, maximum: int = 4) -> None:
    create("AWS::ApplicationAutoScaling::ScalableTarget", **_TARGET, MinCapacity=minimum, MaxCapacity=maximum)


def policy(*steps: tuple[float | None, float | None, int], exact: bool = True, cooldown: int = 0, **more: Any) -> str:
    """Create a step scaling policy from lower bounds, upper bounds, and adjustments."""
    configuration = {
        "AdjustmentType": "ExactCapacity" if exact else "ChangeInCapacity",
        "Cooldown": cooldown,
        "StepAdjustments": [
            {
                name: value
                for name, value in zip(
                    ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment"), step, strict=True
                )
                if value is not None
            }
            for step in steps
        ],
    }
    properties = {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration} | more
    return create(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        PolicyName="policy",
        ScalingTargetId=f"{_RESOURCE}|ecs:service:DesiredCount|ecs",
        **properties,
    )


def alarm(action: str, threshold: float, *, above: bool = True, **more: Any) -> None:
    """Create an alarm on the expression `waiting + FILL(flying, 0)`."""
    metrics = [
        {"Id": "work", "Expression": "waiting + FILL(flying, 0)"},
        *(
            {
                "Id": name,
                "MetricStat": {
                    "Metric": {"Namespace": "Test", "MetricName": name},
                    "Period": 60,
                    "Stat": "Maximum",
                },
                "ReturnData": False,
            }
            for name in ("waiting", "flying")
        ),
    ]
    properties = {
        "Metrics": metrics,
        "EvaluationPeriods": 1,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold" if above else "LessThanOrEqualToThreshold",
        "AlarmActions": [action],
    }
    create("AWS::CloudWatch::Alarm", **properties | more)


def scale(waiting: float | None) -> int:
    """Let a minute pass in which messages waited, and return the desired count."""
    cloudwatch._metrics.clear()
    if waiting is not None:
        cloudwatch.record_metric("Test", "waiting", waiting)
    for existing in cloudwatch._alarms.values():
        cloudwatch_alarms.evaluate_alarm(existing)
    application_auto_scaling.scale()
    count: int = ecs._services["cluster/workers"]["desiredCount"]
    return count


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A service whose task definition does not exist, so that it starts no tasks."""
    monkeypatch.setattr(application_auto_scaling, "after_evaluation", [])
    monkeypatch.setattr(ecs, "_get_docker", lambda: None)
    for module, name in (
        (cloudwatch, "_evaluate_alarm"),
        (cloudwatch, "_dispatch_alarm_actions"),
        (provisioners, "_cw_metric_alarm_record"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    with request_scope(ACCOUNT, REGION):
        cloudwatch_alarms.extend()
        application_auto_scaling.extend()
        ecs._create_service({"cluster": "cluster", "serviceName": "workers", "taskDefinition": "-", "desiredCount": 1})
        service: dict[str, Any] = ecs._services["cluster/workers"]
        service["deployments"][0]["rolloutState"] = "COMPLETED"
        yield service
        ecs.reset()
        cloudwatch.reset()
        application_auto_scaling._policies.clear()
        application_auto_scaling._targets.clear()


def scale_from_zero() -> None:
    target()
    alarm(policy((0, 50, 1), (50, 100, 2), (100, None, 9)), 1)
    alarm(policy((None, 0, 0)), 0, above=False)


@pytest.mark.parametrize(("waiting", "count"), [(0, 0), (1, 1), (50, 1), (51, 2), (100, 2), (101, 4), (1e6, 4)])
def test_metric_selects_the_capacity_up_to_the_maximum(waiting: float, count: int) -> None:
    scale_from_zero()
    assert scale(waiting) == count


def test_capacity_follows_the_metric_while_the_alarm_keeps_its_state() -> None:
    scale_from_zero()
    assert [scale(waiting) for waiting in (0, 60, 200, 60, 1, 0)] == [0, 2, 4, 2, 1, 0]


def test_policy_runs_again_after_the_count_was_changed_by_hand(service: dict[str, Any]) -> None:
    scale_from_zero()
    assert scale(60) == 2
    service["desiredCount"] = 0
    assert scale(60) == 2


def test_capacity_does_not_change_without_data_points() -> None:
    scale_from_zero()
    assert scale(60) == 2
    assert scale(None) == 2


def test_minimum_is_kept() -> None:
    target(minimum=1)
    alarm(policy((None, 0, 0)), 0, above=False)
    assert scale(0) == 1


def test_no_scale_in_during_a_deployment(service: dict[str, Any]) -> None:
    scale_from_zero()
    service["deployments"][0]["rolloutState"] = "IN_PROGRESS"
    assert scale(0) == 1
    assert scale(200) == 4
    service["deployments"][0]["rolloutState"] = "COMPLETED"
    assert scale(0) == 0


def test_largest_capacity_wins() -> None:
    target()
    for count in (1, 3, 2):
        alarm(policy((0, None, count)), 1)
    assert scale(1) == 3


def test_increases_within_a_cooldown_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    target(maximum=10)
    alarm(policy((0, 10, 2), (10, None, 3), exact=False, cooldown=300), 1)
    assert scale(1) == 3
    assert scale(1) == 3
    assert scale(20) == 4
    later = time.monotonic() + 301
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert scale(20) == 7


def test_cooldown_follows_the_speed_of_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_auto_scaling, "speed", lambda: 300_000)
    target(maximum=10)
    alarm(policy((0, None, 2), exact=False, cooldown=300), 1)
    assert scale(1) == 3
    time.sleep(0.01)
    assert scale(1) == 5


def test_cooldown_blocks_scale_in_but_not_scale_out() -> None:
    target()
    alarm(policy((0, None, 4), cooldown=300), 100)
    alarm(policy((None, 0, -1), exact=False, cooldown=300), 0, above=False)
    assert scale(0) == 0
    assert scale(100) == 4
    assert scale(0) == 4


def test_disabled_actions_and_deleted_policies_do_nothing() -> None:
    target()
    alarm(policy((0, None, 4)), 1, ActionsEnabled=False)
    deleted = policy((0, None, 4))
    alarm(deleted, 1)
    properties = {"ScalingTargetId": f"{_RESOURCE}|ecs:service:DesiredCount|ecs"}
    _RESOURCE_HANDLERS["AWS::ApplicationAutoScaling::ScalingPolicy"]["delete"](deleted, properties)
    assert scale(1) == 1


@pytest.mark.parametrize(
    "properties",
    [
        {"PolicyType": "PredictiveScaling"},
        {"StepScalingPolicyConfiguration": {"AdjustmentType": "PercentChangeInCapacity"}},
    ],
)
def test_policies_that_are_not_emulated_are_rejected(properties: dict[str, Any]) -> None:
    target()
    with pytest.raises(ValueError, match="not emulated"):
        policy(**properties)


@pytest.mark.parametrize(
    "properties", [{"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, {"ResourceId": "service/cluster/other"}]
)
def test_targets_other_than_existing_services_are_rejected(properties: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not emulated|doesn't exist"):
        create("AWS::ApplicationAutoScaling::ScalableTarget", **_TARGET | properties, MinCapacity=0, MaxCapacity=1)


@pytest.mark.parametrize(
    "metrics",
    [
        [{"Id": "a", "Expression": "SUM([a])"}],
        [{"Id": "a", "Expression": "b + 1"}, {"Id": "b", "Expression": "a + 1", "ReturnData": False}],
        [{"Id": "a", "Expression": "1"}, {"Id": "b", "Expression": "a"}],
    ],
)
def test_alarms_on_invalid_metric_math_are_rejected(metrics: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"Metric math|Metrics:"):
        alarm("-", 1, Metrics=metrics)


def test_expressions_can_use_expressions() -> None:
    target()
    metrics = [
        {"Id": "a", "Expression": "b * 2"},
        {"Id": "b", "Expression": "20 + 5", "ReturnData": False},
    ]
    alarm(policy((0, 1, 3)), 50, Metrics=metrics)
    assert scale(0) == 3


def tracking_policy(*, metric: str = "ALBRequestCountPerTarget", **more: Any) -> None:
    """Create a policy for ten requests per target and minute."""
    specification = {"PredefinedMetricType": metric, "ResourceLabel": f"app/balancer/1/{_TARGET_GROUP}"}
    create(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        PolicyName="tracking",
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=f"{_RESOURCE}|ecs:service:DesiredCount|ecs",
        TargetTrackingScalingPolicyConfiguration={
            "PredefinedMetricSpecification": specification,
            "TargetValue": 10,
            "ScaleOutCooldown": 0,
            "ScaleInCooldown": 0,
        }
        | more,
    )


_TARGET_GROUP = "targetgroup/tasks/2"


def track(*requests_per_target: float) -> list[int]:
    """Let minutes pass with these requests per target, and return the desired count after each."""
    counts = []
    for requests in requests_per_target:
        cloudwatch._metrics.clear()
        if requests:
            for name in (_TARGET_GROUP, "targetgroup/other/3"):
                metric = ("AWS/ApplicationELB", "RequestCountPerTarget", requests, "Count", {"TargetGroup": name})
                cloudwatch.record_metric(*metric)
        application_auto_scaling.scale()
        counts.append(ecs._services["cluster/workers"]["desiredCount"])
    return counts


def test_tracked_capacity_grows_in_proportion_after_three_minutes_above_the_target() -> None:
    target(minimum=1)
    tracking_policy()
    assert track(25, 25, 10, 25, 25, 25, 10) == [1, 1, 1, 1, 1, 3, 3]
    assert track(100, 100, 100) == [3, 3, 4]  # the maximum


def test_tracked_capacity_shrinks_by_one_after_fifteen_minutes_without_requests(service: dict[str, Any]) -> None:
    target(minimum=1)
    tracking_policy()
    service["desiredCount"] = 3
    assert track(*[0] * 17) == [3] * 14 + [2, 1, 1]


def test_tracked_capacity_stays_above_nine_tenths_of_the_target(service: dict[str, Any]) -> None:
    target(minimum=1, maximum=20)
    tracking_policy()
    service["desiredCount"] = 20
    assert track(*[9.2] * 15, *[8.9] * 15)[-2:] == [20, 19]


def test_tracked_capacity_stays_if_scale_in_is_disabled(service: dict[str, Any]) -> None:
    target(minimum=1)
    tracking_policy(DisableScaleIn="true")
    service["desiredCount"] = 3
    assert set(track(*[0] * 16)) == {3}


def test_tracking_of_another_metric_is_rejected() -> None:
    target()
    with pytest.raises(ValueError, match="ALBRequestCountPerTarget only"):
        tracking_policy(metric="ECSServiceAverageCPUUtilization")
