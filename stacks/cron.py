"""A serverless cron job, the notes' third use of Lambda: "run a serverless cron job".

No server waits for the hour. EventBridge Scheduler keeps the clock, in the time zone of whoever set it up, and
starts a function once a night:

    EventBridge Scheduler → function `sweep` → upload queue (what lacks thumbnails), removals, a report
              └→ dead-letter queue ←┘ what could not be started, or failed three times

The function sees each photo, however many: it takes listings page by page, and when its 15 minutes (the most a
Lambda function may take; the notes' "short executions") are nearly over it hands its progress to itself.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack, TimeZone
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.acknowledge import acknowledge
from stacks.python_function import PythonFunction
from stacks.settings import Target

# When few are awake, and an hour that no change to summer time skips or repeats.
_HOUR = "4"

_RETRIES = 2


class CronStack(Stack):
    """The nightly sweep over originals, thumbnails and catalogue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        originals: s3.IBucket,
        thumbnails: s3.IBucket,
        catalogue: dynamodb.ITable,
        uploads: sqs.IQueue,
        time_zone: str,
        target: Target,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.dead_letters = sqs.Queue(self, "DeadLetters", enforce_ssl=True, retention_period=Duration.days(14))
        acknowledge(self.dead_letters, SQS3="It is the dead-letter queue of a schedule and of a function")
        self.function = self._function(originals, thumbnails, catalogue, uploads, target)
        self._schedule(time_zone)

        CfnOutput(self, "SweepFunction", value=self.function.function_name)

    def _function(
        self,
        originals: s3.IBucket,
        thumbnails: s3.IBucket,
        catalogue: dynamodb.ITable,
        uploads: sqs.IQueue,
        target: Target,
    ) -> PythonFunction:
        function = PythonFunction(
            self,
            "Function",
            source="sweep",
            target=target,
            memory_size=512,  # it waits for answers; a page of each of two listings is all it holds
            timeout=Duration.minutes(15),
            environment={
                "ORIGINALS_BUCKET": originals.bucket_name,
                "THUMBNAILS_BUCKET": thumbnails.bucket_name,
                "CATALOGUE_TABLE": catalogue.table_name,
                "UPLOAD_QUEUE_URL": uploads.queue_url,
            },
            description="Compares originals, thumbnails and catalogue every night, and puts right what differs",
        )
        for actions, resource in (
            (["s3:ListBucket", "s3:ListBucketMultipartUploads"], originals.bucket_arn),
            (["s3:GetObject", "s3:AbortMultipartUpload"], originals.arn_for_objects("*")),
            (["s3:ListBucket"], thumbnails.bucket_arn),
            (["s3:DeleteObject"], thumbnails.arn_for_objects("*")),
            (["s3:PutObject"], thumbnails.arn_for_objects("reports/*")),
            (["dynamodb:Query"], f"{catalogue.table_arn}/index/by-key"),
            (["dynamodb:Query"], f"{catalogue.table_arn}/index/by-id"),
            (["dynamodb:DeleteItem"], catalogue.table_arn),
            (["sqs:SendMessage"], uploads.queue_arn),
        ):
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        # A policy of its own: the function waits for that of its role, which therefore cannot name the function.
        iam.Policy(
            self,
            "GoOn",
            roles=[function.execution_role],
            statements=[iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])],
        )
        function.configure_async_invoke(
            retry_attempts=_RETRIES, on_failure=destinations.SqsDestination(self.dead_letters)
        )
        return function

    def _schedule(self, time_zone: str) -> None:
        scheduler.Schedule(
            self,
            "Nightly",
            description="Starts the sweep",
            schedule=scheduler.ScheduleExpression.cron(hour=_HOUR, minute="0", time_zone=TimeZone.of(time_zone)),
            target=targets.LambdaInvoke(
                self.function,
                retry_attempts=_RETRIES,
                max_event_age=Duration.hours(6),
                dead_letter_queue=self.dead_letters,
            ),
        )
