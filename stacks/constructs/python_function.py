"""A Lambda function in Python, as every stack here uses it."""

from collections.abc import Mapping

from aws_cdk import AssetHashType, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.deployment_package import build_deployment_package
from stacks.support.settings import Target


class PythonFunction(lambda_.Function):
    """The function `lambda_src/<source>/handler.py`, on Graviton, with a log group and a role of its own.

    source: folder in `lambda_src/`
    The role may write that log and send traces, no more: the stack grants what else the code calls.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        target: Target,
        memory_size: int,
        timeout: Duration,
        environment: Mapping[str, str],
        description: str,
    ) -> None:
        bundle = build_deployment_package(source, target=target)
        # Owned by the stack: the group Lambda would make by itself outlives `cdk destroy`.
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        # Not AWSLambdaBasicExecutionRole: it may create log groups, and a late line would bring a deleted one back.
        log_group.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(bundle.folder), asset_hash=bundle.hash, asset_hash_type=AssetHashType.CUSTOM
            ),
            handler=f"{source}.handler.handler",
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            memory_size=memory_size,
            timeout=timeout,
            environment=dict(environment),
            description=description,
        )
        self.execution_role = role
        acknowledge(self, L1="3.13 is the newest Python that the machines which test this project have")
        acknowledge_wildcard(role, "*", "X-Ray takes traces for no particular resource")
