"""AWS Lambda on a schedule, again: the deployment deletes itself at the time in the setting `expires_at`.

    EventBridge Scheduler → function `expiry` → CloudFormation deletes the stacks, this one last
                                     └→ alert topic (Guardrails): what could not be deleted

The app has this stack only with the setting. All other stacks depend on it, so it is deployed first: a deployment that
fails halfway expires, too.
"""

from typing import Any

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets

from stacks.constructs.expiry_function import ExpiryFunction
from stacks.constructs.scheduler_role import scheduler_role
from stacks.support.policies import allow
from stacks.support.settings import Target

_RUN_INTERVAL = Duration.minutes(5)


class ExpiryStack(Stack):
    """The function that deletes all stacks, and its schedule.

    Args:
        scope: The app, which contains all other stacks.
        name: The setting `name`.
        expires_at: UTC time (ISO 8601).
    """

    def __init__(
        self, scope: App, construct_id: str, *, name: str, expires_at: str, target: Target, **kwargs: Any
    ) -> None:
        others = [stack for stack in scope.node.children if isinstance(stack, Stack)]
        super().__init__(scope, construct_id, **kwargs)
        for stack in others:
            stack.add_stack_dependency(self)
        function = ExpiryFunction(
            self,
            "Function",
            name=name,
            expires_at=expires_at,
            stacks=others,
            run_interval=_RUN_INTERVAL,
            target=target,
        )
        role = scheduler_role(self, "SchedulerRole")
        allow(role, ["lambda:InvokeFunction"], function.function_arn)
        # Without dates: EventBridge Scheduler rejects a start date that is more than five minutes ago, and an update
        # after the expiry would fail. Until then, the function returns at once.
        scheduler.Schedule(
            self,
            "Schedule",
            description="Deletes the deployment when it has expired",
            schedule=scheduler.ScheduleExpression.rate(_RUN_INTERVAL),
            target=targets.LambdaInvoke(
                function,
                role=role.without_policy_updates(),
                input=scheduler.ScheduleTargetInput.from_object({"time": scheduler.ContextAttribute.scheduled_time}),
                max_event_age=_RUN_INTERVAL,
            ),
        )

        CfnOutput(self, "ExpiresAt", value=expires_at)
