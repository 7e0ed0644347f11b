"""The function that deletes all stacks of the deployment, with its permissions and the order of the deletion."""

import json
from collections.abc import Sequence
from typing import cast

import jsii
from aws_cdk import Duration, IResolveContext, IStringProducer, Lazy, Stack
from constructs import Construct

from stacks.constructs.python_function import PythonFunction
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.settings import Target

# Contains the alert topic, which reports what could not be deleted.
_ALERTS = "Guardrails"


@jsii.implements(IStringProducer)
class _DeletionOrder:
    """The environment variable with the order.

    The CDK computes it again after it has resolved the references between stacks, which add dependencies.

    Args:
        stacks: All other stacks of the app.
        own: The stack of the function.
    """

    def __init__(self, stacks: Sequence[Stack], own: Stack) -> None:
        self._stacks = stacks
        self._last = [_ALERTS, own.node.id]

    def produce(self, context: IResolveContext) -> str:
        uses = {stack.node.id: {used.node.id for used in stack.dependencies} for stack in self._stacks}
        users = {
            stack: sorted(user for user in uses if stack in uses[user] and user not in self._last)
            for stack in sorted(uses)
            if stack not in self._last
        }
        return json.dumps({"users": users, "last": self._last})


class ExpiryFunction(PythonFunction):
    """`lambda_src/expiry`, which deletes `stacks` in reverse order of their dependencies, and then its own stack.

    The stack `Guardrails` uses outputs of most stacks but is deleted after them, so that its topic can report failures.
    CloudFormation resolves the outputs only when it creates or updates the stack (Fn::GetStackOutput in its template
    reference).

    Args:
        name: The setting `name`.
        stacks: All other stacks of the app. The function finds those that left the app by their tag.
        run_interval: Between two invocations. An invocation ends before the next one starts.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        expires_at: str,
        stacks: Sequence[Stack],
        run_interval: Duration,
        target: Target,
    ) -> None:
        own = Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            source="expiry",
            target=target,
            memory_size=128,  # the function mostly waits for CloudFormation
            timeout=run_interval,
            environment={
                "PROJECT": name,
                "EXPIRES_AT": expires_at,
                "RUN_INTERVAL_MINUTES": str(run_interval.to_minutes()),
                "DELETION_ORDER": Lazy.uncached_string(cast(IStringProducer, _DeletionOrder(stacks, own))),
            },
            description="Deletes all stacks of the deployment when it has expired",
        )
        # No iam:PassRole: CloudFormation deletes with the role that it stored with each stack.
        any_stack = own.format_arn(service="cloudformation", resource="stack", resource_name=f"{name}-*/*")
        self.allow(
            ["cloudformation:DeleteStack"], any_stack, conditions={"StringEquals": {"aws:ResourceTag/project": name}}
        )
        # Only a description of all stacks finds those that left the app. It needs both permissions on * ("StackName" of
        # DescribeStacks in the CloudFormation API reference).
        self.allow(["cloudformation:DescribeStacks", "cloudformation:ListStacks"], "*")
        acknowledge_wildcard(self.execution_role, "*", "A description of all stacks supports no resources")
        # By its name, because a reference would deploy all stacks that have alarms before this one.
        topic = own.format_arn(service="sns", resource=f"{name}-{_ALERTS}-*")
        self.allow(["sns:Publish"], topic)
        acknowledge_wildcard(
            self.execution_role, any_stack, "Stacks that left the app are deleted as well, by their tag"
        )
        acknowledge_wildcard(self.execution_role, topic, "CloudFormation generates the end of the topic's name")
