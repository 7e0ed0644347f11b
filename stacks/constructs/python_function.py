"""A Lambda function in Python, with the defaults of all functions in this app."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import AssetHashType, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.sandbox_log_group import SandboxLogGroup
from stacks.support.cdk_nag import acknowledge
from stacks.support.deployment_package import build_deployment_package
from stacks.support.policies import allow
from stacks.support.settings import Target


class PythonFunction(lambda_.Function):
    """The function `lambda_src/<source>/handler.py` on Graviton, with its own log group and role.

    The role can write to the log group. Use `allow` for every other permission.

    Args:
        source: Folder in `lambda_src/`.
        image: The code as a container image that starts the handler. If None, the function is deployed as a package.
        memory_size: MiB.
        options: Further arguments of `lambda_.Function`.

    Attributes:
        execution_role: The role as `iam.Role`. The inherited attribute `role` is only an `IRole`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        image: lambda_.EcrImageCode | None = None,
        target: Target,
        memory_size: int,
        timeout: Duration,
        environment: Mapping[str, str],
        description: str,
        **options: Any,
    ) -> None:
        # Owned by the stack, because a log group that Lambda creates remains after `cdk destroy`.
        log_group = SandboxLogGroup(scope, f"{construct_id}Log")
        role = iam.Role(scope, f"{construct_id}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        # Not AWSLambdaBasicExecutionRole: it allows logs:CreateLogGroup, and a late log line would recreate a deleted
        # log group.
        log_group.grant_write(role)
        super().__init__(
            scope,
            construct_id,
            architecture=lambda_.Architecture.ARM_64,
            **(_image(image) if image else _package(source, target)),
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            memory_size=memory_size,
            timeout=timeout,
            environment=dict(environment),
            description=description,
            **options,
        )
        if "tracing" not in options:
            # Explicit, so that an update of a traced function turns tracing off. `Tracing.PASS_THROUGH` would also
            # allow the role to send traces.
            function = self.node.default_child
            assert isinstance(function, lambda_.CfnFunction)
            function.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="PassThrough")
        self.execution_role = role
        if not image:
            acknowledge(self, L1="Python 3.13 is the newest version on the machines that test this project")

    def allow(self, actions: Sequence[str], *resources: str, conditions: Mapping[str, Any] | None = None) -> None:
        """Allow the function actions on resources (ARNs)."""
        allow(self.execution_role, actions, *resources, conditions=conditions)


def _package(source: str, target: Target) -> dict[str, Any]:
    package = build_deployment_package(source, target=target)
    code = lambda_.Code.from_asset(str(package.folder), asset_hash=package.hash, asset_hash_type=AssetHashType.CUSTOM)
    return {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": f"{source}.handler.handler", "code": code}


def _image(image: lambda_.EcrImageCode) -> dict[str, Any]:
    return {"runtime": lambda_.Runtime.FROM_IMAGE, "handler": lambda_.Handler.FROM_IMAGE, "code": image}
