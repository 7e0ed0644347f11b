"""EventBridge: events that AWS services emit, and the target role of a rule.

The emulator emits none of them and ignores the role. Emulated: state changes of alarms (by `cloudwatch_alarms.py`),
Batch jobs that fail, and ECS deployments that fail. Not emulated: all other service events.
"""

import json
from typing import Any

from ministack.services import ecs, eventbridge

from local.extension import iam_roles


def extend() -> None:
    """Check target roles, and emit the events of ECS."""
    _check_target_roles()
    _emit_deployment_events()


def emit_event(source: str, detail_type: str, resource: str, detail: dict[str, Any]) -> None:
    """Put an event of an AWS service on the default event bus."""
    event = {"Source": source, "DetailType": detail_type, "Resources": [resource], "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)


def _check_target_roles() -> None:
    invoke = eventbridge._invoke_target

    def invoke_if_allowed(target: dict[str, Any], event: dict[str, Any], *rest: Any) -> None:
        has_role = ":sns:" in target["Arn"] and "RoleArn" in target
        if not has_role or iam_roles.is_allowed(target["RoleArn"], "sns:Publish", target["Arn"]):
            invoke(target, event, *rest)

    eventbridge._invoke_target = invoke_if_allowed


def _emit_deployment_events() -> None:
    record = ecs._record_service_task_failure
    reported = set()

    def record_and_emit(*task: Any, **options: Any) -> None:
        record(*task, **options)
        for service in [*ecs._services.values()]:
            for deployment in service["deployments"]:
                if deployment.get("rolloutState") == "FAILED" and deployment["id"] not in reported:
                    reported.add(deployment["id"])
                    detail = {
                        "eventType": "ERROR",
                        "eventName": "SERVICE_DEPLOYMENT_FAILED",
                        "deploymentId": deployment["id"],
                        "reason": deployment["rolloutStateReason"],
                    }
                    emit_event("aws.ecs", "ECS Deployment State Change", service["serviceArn"], detail)

    ecs._record_service_task_failure = record_and_emit
