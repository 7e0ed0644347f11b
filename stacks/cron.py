"""A serverless cron job, the notes' second use of Lambda: "run a serverless cron job".

No server waits for the hour. EventBridge Scheduler keeps the clock, in the time zone of whoever set it up, and
starts a function once a night:

    EventBridge Scheduler → function `sweep` → upload queue (what lacks thumbnails), removals, a report
              └→ dead-letter queue ←┘ what could not be started, or failed three times

The function sees each photo, however many: it takes listings page by page, and when its 15 minutes (the most a
Lambda function may take; the notes' "short executions") are nearly over it hands its progress to itself.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack, TimeZone
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.monitoring import Monitoring, dead_letter_queue_graph, function_graphs
from stacks.constructs.python_function import PythonFunction
from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.settings import Target
from stacks.support.shared_resources import PhotoStorage

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
        storage: PhotoStorage,
        upload_queue: sqs.IQueue,
        time_zone: str,
        target: Target,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.dead_letter_queue = sqs.Queue(self, "DeadLetters", enforce_ssl=True, retention_period=Duration.days(14))
        acknowledge(self.dead_letter_queue, SQS3="It is the dead-letter queue of a schedule and of a function")
        self.function = self._function(storage, upload_queue, target)
        self._schedule(time_zone)
        self.monitoring = Monitoring(
            "Sweep",
            [*function_graphs(self.function), dead_letter_queue_graph(self.dead_letter_queue)],
            [self._alarm()],
        )

        CfnOutput(self, "SweepFunction", value=self.function.function_name)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.dead_letter_queue.queue_url)

    def _function(self, storage: PhotoStorage, upload_queue: sqs.IQueue, target: Target) -> PythonFunction:
        originals, thumbnails, catalogue = storage.originals, storage.thumbnails, storage.catalogue
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
                "UPLOAD_QUEUE_URL": upload_queue.queue_url,
            },
            description="Compares originals, thumbnails and catalogue every night, and puts right what differs",
        )
        for actions, resource in (
            (["s3:ListBucket", "s3:ListBucketMultipartUploads"], originals.bucket_arn),
            (["s3:GetObject", "s3:AbortMultipartUpload"], originals.arn_for_objects("*")),
            (["s3:ListBucket"], thumbnails.bucket_arn),
            (["s3:DeleteObject"], thumbnails.arn_for_objects("*/*.webp")),
            (["s3:PutObject"], thumbnails.arn_for_objects("reports/*")),
            (["dynamodb:Query"], f"{catalogue.table_arn}/index/by-key"),
            (["dynamodb:Query"], f"{catalogue.table_arn}/index/by-id"),
            (["dynamodb:DeleteItem"], catalogue.table_arn),
            (["sqs:SendMessage"], upload_queue.queue_arn),
            (["sqs:SendMessage"], self.dead_letter_queue.queue_arn),
        ):
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        role = function.execution_role
        acknowledge_wildcard(role, originals, "Any object in the bucket is a photo, under any key")
        acknowledge_wildcard(role, thumbnails, "Thumbnails are named by photo, upload and size", objects="*/*.webp")
        acknowledge_wildcard(role, thumbnails, "Each night has a report of its own", objects="reports/*")
        # A policy of its own: the function waits for that of its role, which therefore cannot name the function.
        iam.Policy(
            self,
            "GoOn",
            roles=[role],
            statements=[iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])],
        )
        # By hand: the CDK's destination would let the function ask for the queue's attributes besides.
        lambda_.CfnEventInvokeConfig(
            self,
            "Retries",
            function_name=function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=_RETRIES,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.dead_letter_queue.queue_arn)
            ),
        )
        return function

    def _alarm(self) -> cloudwatch.Alarm:
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(5), statistic="Maximum"
        ).create_alarm(
            self,
            "DeadLettersAlarm",
            alarm_description="The nightly sweep failed three times, or could not be started. "
            "`python -m operations redrive --inspect` prints the reasons. Fix the cause, then run `make redrive`.",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _schedule(self, time_zone: str) -> None:
        # Made here, because the target's own role might invoke every version of the function too.
        group = self.format_arn(service="scheduler", resource="schedule-group", resource_name="default")
        only_ours = {"StringEquals": {"aws:SourceAccount": self.account, "aws:SourceArn": group}}
        role = iam.Role(
            self,
            "SchedulerRole",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=only_ours),
        )
        for action, resource in (
            ("lambda:InvokeFunction", self.function.function_arn),
            ("sqs:SendMessage", self.dead_letter_queue.queue_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[resource]))
        scheduler.Schedule(
            self,
            "Nightly",
            description="Starts the sweep",
            schedule=scheduler.ScheduleExpression.cron(hour=_HOUR, minute="0", time_zone=TimeZone.of(time_zone)),
            target=targets.LambdaInvoke(
                self.function,
                role=role.without_policy_updates(),
                retry_attempts=_RETRIES,
                max_event_age=Duration.hours(6),
                dead_letter_queue=self.dead_letter_queue,
            ),
        )
