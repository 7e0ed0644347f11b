"""AWS Lambda on a schedule. In the notes: "Run a Serverless cron job".

No server runs between invocations. EventBridge Scheduler invokes the function once a night, in a time zone of your
choice.

    EventBridge Scheduler → function `sweep` → upload queue (photos without thumbnails), deletions, a report
              └→ dead-letter queue ←┘ events that could not be delivered, or failed three times

A Lambda function runs for at most 15 minutes (the notes: "short executions"). The sweep reads listings page by page,
and invokes itself with its progress before the timeout, so that it covers any number of photos.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack, TimeZone
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.monitoring import Monitoring, dead_letter_alarm, dead_letter_queue_graph, function_graphs
from stacks.constructs.scheduler_role import scheduler_role
from stacks.constructs.sweep_function import SweepFunction
from stacks.support.cdk_nag import acknowledge
from stacks.support.policies import allow
from stacks.support.settings import Target
from stacks.support.shared_resources import PhotoStorage

# An hour with little traffic. Daylight saving time changes neither skip nor repeat it.
_HOUR = "4"

_RETRIES = 2


class CronStack(Stack):
    """The nightly sweep over originals, thumbnails, and catalogue.

    Args:
        upload_queue: Receives the photos that need thumbnails.
        time_zone: IANA time zone of the schedule.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PhotoStorage,
        upload_queue: sqs.IQueue,
        time_zone: str,
        target: Target,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        dead_letter_queue = sqs.Queue(self, "DeadLetters", enforce_ssl=True, retention_period=Duration.days(14))
        acknowledge(dead_letter_queue, SQS3="It is the dead-letter queue of a schedule and of a function")
        function = SweepFunction(
            self,
            "Function",
            storage=storage,
            upload_queue=upload_queue,
            dead_letter_queue=dead_letter_queue,
            retries=_RETRIES,
            target=target,
        )
        scheduler.Schedule(
            self,
            "Nightly",
            description="Invokes the sweep",
            schedule=scheduler.ScheduleExpression.cron(hour=_HOUR, minute="0", time_zone=TimeZone.of(time_zone)),
            target=targets.LambdaInvoke(
                function,
                role=self._scheduler_role(function, dead_letter_queue),
                retry_attempts=_RETRIES,
                max_event_age=Duration.hours(6),
                dead_letter_queue=dead_letter_queue,
            ),
        )
        self.monitoring = Monitoring(
            "Sweep",
            [*function_graphs(function), dead_letter_queue_graph(dead_letter_queue)],
            [
                dead_letter_alarm(
                    self,
                    "DeadLettersAlarm",
                    dead_letter_queue,
                    description="The nightly sweep failed three times or could not be invoked. `python -m operations "
                    "redrive --inspect` prints the reason. Fix the cause, then run `make redrive`.",
                )
            ],
        )

        CfnOutput(self, "SweepFunction", value=function.function_name)
        CfnOutput(self, "DeadLetterQueueUrl", value=dead_letter_queue.queue_url)

    def _scheduler_role(self, function: lambda_.IFunction, dead_letter_queue: sqs.IQueue) -> iam.IRole:
        role = scheduler_role(self, "SchedulerRole")
        allow(role, ["lambda:InvokeFunction"], function.function_arn)
        allow(role, ["sqs:SendMessage"], dead_letter_queue.queue_arn)
        return role.without_policy_updates()
