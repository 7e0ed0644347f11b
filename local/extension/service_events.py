"""What EventBridge hears from other services; what it tells a topic, it tells by the role that it was given for that.

Real: alarms (by `local/extension/cloudwatch_alarms.py`), Batch jobs that fail, ECS deployments that fail.
On paper only: all else that AWS tells of itself.
"""

import json
from typing import Any

from ministack.services import ecs, eventbridge

from local.extension import iam_roles


def extend() -> None:
    """Ask for the role's right, and listen to ECS."""
    _publish_by_role()
    _tell_of_deployments()


def emit_event(source: str, detail_type: str, resource: str, detail: dict[str, Any]) -> None:
    """Send an event as this service of AWS does."""
    event = {"Source": source, "DetailType": detail_type, "Resources": [resource], "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [event]}, allow_aws_source=True)


def _publish_by_role() -> None:
    invoke = eventbridge._invoke_target
    eventbridge._put_events  # noqa: B018  # stop early if gone

    def publish_by_role(target: dict[str, Any], event: dict[str, Any], *rest: Any) -> None:
        by_role = ":sns:" in target["Arn"] and "RoleArn" in target
        if not by_role or iam_roles.is_allowed(target["RoleArn"], "sns:Publish", target["Arn"]):
            invoke(target, event, *rest)

    eventbridge._invoke_target = publish_by_role


def _tell_of_deployments() -> None:
    record = ecs._record_service_task_failure

    def record_and_tell(task: dict[str, Any], *rest: Any, **options: Any) -> None:
        services = [it for it in ecs._services.values() if task.get("group") == f"service:{it['serviceName']}"]
        before = {id(it) for it in _failed(services)}
        record(task, *rest, **options)
        for deployment in _failed(services):
            if id(deployment) not in before:
                (service,) = (it for it in services if deployment in it["deployments"])
                detail = {
                    "eventType": "ERROR",
                    "eventName": "SERVICE_DEPLOYMENT_FAILED",
                    "deploymentId": deployment["id"],
                    "reason": deployment["rolloutStateReason"],
                }
                emit_event("aws.ecs", "ECS Deployment State Change", service["serviceArn"], detail)

    ecs._record_service_task_failure = record_and_tell


def _failed(services: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [it for service in services for it in service["deployments"] if it.get("rolloutState") == "FAILED"]
