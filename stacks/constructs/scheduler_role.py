"""The role of an EventBridge schedule."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


def scheduler_role(scope: Construct, construct_id: str) -> iam.Role:
    """Return a role for schedules of this account, without permissions. The role that the CDK creates has too many."""
    stack = Stack.of(scope)
    group = stack.format_arn(service="scheduler", resource="schedule-group", resource_name="default")
    from_this_account = {"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}}
    return iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=from_this_account),
    )
