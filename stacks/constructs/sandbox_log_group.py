"""A CloudWatch Logs log group for a sandbox account."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct


class SandboxLogGroup(logs.LogGroup):
    """A log group that keeps logs for a week and is deleted with its stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope, construct_id, retention=logs.RetentionDays.ONE_WEEK, removal_policy=RemovalPolicy.DESTROY
        )
