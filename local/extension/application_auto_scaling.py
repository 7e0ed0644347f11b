"""Application Auto Scaling, which the emulator lacks: step scaling and target tracking policies of ECS services.

Emulated: targets with a minimum and a maximum; policies with exact capacities or changes of capacity, which alarms
invoke, again each minute while an alarm keeps its state; target tracking of the requests per target of a load balancer;
the largest capacity if several policies run; cooldowns; no scale-in during a deployment. Not emulated: the API, the
alarms that target tracking creates, its other metrics (policies are rejected), changes by percent, schedules, and other
services than ECS.

See https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
and https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
"""

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, ecs

from local.extension.cloudformation import Properties, register
from local.extension.cloudwatch_alarms import alarm_values
from local.extension.cloudwatch_metrics import after_evaluation, speed

_DIMENSION = "ecs:service:DesiredCount"
_ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}

# The default of AWS for ECS services.
_DEFAULT_COOLDOWN_SECONDS = 300

# The alarms that target tracking creates in an account: capacity is added after three minutes above the target, and
# removed after fifteen minutes below 90 % of it.
_MINUTES_ABOVE = 3
_MINUTES_BELOW = 15
_SHARE_BELOW = 0.9


@dataclass
class _Target:
    """A service that scales.

    Attributes:
        cooldown_end: When the cooldown of the last scaling activity ends, in seconds of the monotonic clock.
        base: The capacity to which changes of capacity are added until then.
    """

    minimum: int
    maximum: int
    cooldown_end: float = 0
    base: int = 0


@dataclass(frozen=True)
class _Policy:
    """A step scaling policy. `resource` is the resource ID of its target."""

    resource: str
    is_exact: bool
    steps: list[dict[str, float]]
    cooldown: float


@dataclass(frozen=True)
class _TrackingPolicy:
    """A target tracking policy.

    Attributes:
        target_group: The end of the ARN of a target group.
        value: Requests per target and minute.
        history: The metric in each of the last minutes, newest last.
    """

    resource: str
    target_group: str
    value: float
    scale_in: bool
    cooldowns: tuple[float, float]
    history: deque[float] = field(default_factory=lambda: deque(maxlen=_MINUTES_BELOW))


# Targets by resource ID (service/cluster/name), and policies by ARN.
_targets: dict[str, _Target] = {}
_policies: dict[str, _Policy | _TrackingPolicy] = {}


def extend() -> None:
    """Register the resource types, and run the policies that alarms invoke."""
    identity = ["ResourceId", "ScalableDimension", "ServiceNamespace"]
    register(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        create=lambda name, props: _put_target(props),
        update=lambda target, props: _put_target(props)[1],
        delete=lambda target, props: _targets.pop(props["ResourceId"], None),
        replaced_by=identity,
    )
    register(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        create=_create_policy,
        update=_put_policy,
        delete=lambda arn, props: _policies.pop(arn, None),
        replaced_by=[*identity, "PolicyName", "ScalingTargetId"],
    )
    after_evaluation.append(scale)


def _put_target(props: Properties) -> tuple[str, Properties]:
    resource, dimension = props["ResourceId"], props["ScalableDimension"]
    if dimension != _DIMENSION:
        raise ValueError(f"ScalableDimension {dimension} is not emulated, only {_DIMENSION}")
    if resource.removeprefix("service/") not in ecs._services:
        raise ValueError(f"ECS service doesn't exist: {resource}")
    minimum, maximum = int(props["MinCapacity"]), int(props["MaxCapacity"])
    if not 0 <= minimum <= maximum:
        raise ValueError(f"MinCapacity {minimum} must be from 0 to MaxCapacity {maximum}")
    _targets[resource] = _Target(minimum, maximum)
    target_id = f"{resource}|{dimension}|ecs"
    return target_id, {"Id": target_id}


def _create_policy(name: str, props: Properties) -> tuple[str, Properties]:
    resource = _resource(props)
    prefix = f"arn:aws:autoscaling:{get_region()}:{get_account_id()}:scalingPolicy:{uuid4()}"
    arn = f"{prefix}:resource/ecs/{resource}:policyName/{props['PolicyName']}"
    return arn, _put_policy(arn, props)


def _put_policy(arn: str, props: Properties) -> Properties:
    if _resource(props) not in _targets:
        raise ValueError(f"No scalable target registered for {_resource(props)}")
    if props["PolicyType"] == "StepScaling":
        configuration = props["StepScalingPolicyConfiguration"]
        adjustment = configuration["AdjustmentType"]
        if adjustment not in ("ExactCapacity", "ChangeInCapacity"):
            raise ValueError(f"AdjustmentType {adjustment} is not emulated, only ExactCapacity and ChangeInCapacity")
        steps = [{name: float(value) for name, value in step.items()} for step in configuration["StepAdjustments"]]
        cooldown = float(configuration.get("Cooldown", _DEFAULT_COOLDOWN_SECONDS))
        _policies[arn] = _Policy(_resource(props), adjustment == "ExactCapacity", steps, cooldown)
    elif props["PolicyType"] == "TargetTrackingScaling":
        _policies[arn] = _tracking_policy(props, props["TargetTrackingScalingPolicyConfiguration"])
    else:
        raise ValueError(f"PolicyType {props['PolicyType']} is not emulated")
    return {"Arn": arn}


def _tracking_policy(props: Properties, configuration: Properties) -> _TrackingPolicy:
    metric = configuration.get("PredefinedMetricSpecification", {})
    if metric.get("PredefinedMetricType") != "ALBRequestCountPerTarget":
        raise ValueError("Target tracking is emulated for the predefined metric ALBRequestCountPerTarget only")
    # app/NAME/ID/targetgroup/NAME/ID
    _, separator, target_group = metric["ResourceLabel"].partition("targetgroup/")
    names = ("ScaleOutCooldown", "ScaleInCooldown")
    scale_out, scale_in = (float(configuration.get(name, _DEFAULT_COOLDOWN_SECONDS)) for name in names)
    return _TrackingPolicy(
        _resource(props),
        separator + target_group,
        float(configuration["TargetValue"]),
        str(configuration.get("DisableScaleIn", False)).lower() != "true",
        (scale_out, scale_in),
    )


def _resource(props: Properties) -> str:
    """Return the resource ID of the target of a policy."""
    return str(props.get("ResourceId") or props["ScalingTargetId"].partition("|")[0])


def scale() -> None:
    """Run each policy that the state of an alarm invokes, and each target tracking policy."""
    invoked: defaultdict[str, list[tuple[_Policy, float]]] = defaultdict(list)
    for alarm in list(cloudwatch._alarms.values()):
        if not alarm["ActionsEnabled"]:
            continue
        for policy in map(_policies.get, alarm[_ACTIONS[alarm["StateValue"]]]):
            if isinstance(policy, _Policy) and (adjustment := _adjustment(policy, alarm)) is not None:
                invoked[policy.resource].append((policy, adjustment))
    for policy in [*_policies.values()]:
        if isinstance(policy, _TrackingPolicy) and (proposal := _track(policy)):
            invoked[policy.resource].append(proposal)
    for resource, adjustments in invoked.items():
        if target := _targets.get(resource):
            _set_capacity(resource, target, adjustments)


def _track(policy: _TrackingPolicy) -> tuple[_Policy, float] | None:
    """Record the metric of the last minute, and return the capacity that it requires if the policy acts."""
    metric = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCountPerTarget",
        "Period": 60,
        "Statistic": "Sum",
    }
    dimensions = [{"Name": "TargetGroup", "Value": policy.target_group}]
    (value,) = alarm_values({**metric, "Dimensions": dimensions, "EvaluationPeriods": 1})
    policy.history.append(value or 0)  # a load balancer always reports this metric
    recent = list(policy.history)
    if (service := _service(policy.resource)) is None:
        return None
    current: int = service["desiredCount"]
    required = math.ceil(current * recent[-1] / policy.value)
    scale_out, scale_in = policy.cooldowns
    if len(recent) >= _MINUTES_ABOVE and min(recent[-_MINUTES_ABOVE:]) > policy.value:
        return _Policy(policy.resource, True, [], scale_out), required
    if policy.scale_in and len(recent) == _MINUTES_BELOW and max(recent) < policy.value * _SHARE_BELOW:
        # It scales in gradually.
        return _Policy(policy.resource, True, [], scale_in), max(current - 1, required)
    return None


def _service(resource: str) -> dict[str, Any] | None:
    """Return the active service with this resource ID."""
    service: dict[str, Any] | None = ecs._services.get(resource.removeprefix("service/"))
    return service if service and service["status"] == "ACTIVE" else None


def _adjustment(policy: _Policy, alarm: dict[str, Any]) -> float | None:
    """Return the adjustment of the step into which the metric falls, or None.

    The bounds of a step are relative to the threshold. The one that is nearer to the threshold is inclusive.
    """
    value = alarm_values(alarm)[0]
    if value is None:
        return None
    breach = value - alarm["Threshold"]
    is_above = alarm["ComparisonOperator"].startswith("Greater")
    for step in policy.steps:
        lower = step.get("MetricIntervalLowerBound", -math.inf)
        upper = step.get("MetricIntervalUpperBound", math.inf)
        if lower <= breach < upper if is_above else lower < breach <= upper:
            return step["ScalingAdjustment"]
    return None


def _set_capacity(resource: str, target: _Target, adjustments: list[tuple[_Policy, float]]) -> None:
    """Set the desired count of a service to the largest capacity of these policies and their adjustments."""
    if (service := _service(resource)) is None:
        return
    _, cluster, name = resource.split("/")
    current: int = service["desiredCount"]
    is_cooling_down = time.monotonic() < target.cooldown_end
    base = target.base if is_cooling_down else current
    capacity, policy = max(
        ((int(adjustment if policy.is_exact else base + adjustment), policy) for policy, adjustment in adjustments),
        key=lambda proposal: proposal[0],
    )
    capacity = min(max(capacity, target.minimum), target.maximum)
    is_deploying = any(deployment["rolloutState"] == "IN_PROGRESS" for deployment in service["deployments"])
    if capacity == current or (capacity < current and (is_cooling_down or is_deploying)):
        return
    target.base = base if capacity > current else capacity
    target.cooldown_end = time.monotonic() + policy.cooldown / speed()
    ecs._update_service({"cluster": cluster, "service": name, "desiredCount": capacity})
