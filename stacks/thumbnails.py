"""AWS Lambda, as the notes praise it: "create thumbnails for images uploaded onto S3".

A photo put into the originals bucket becomes an event in a queue, and the function makes its thumbnails:
short work, started by an event, scaled by AWS, paid by the millisecond, nothing running in between.

    originals bucket → upload queue → function → thumbnails bucket + catalogue table
                            └→ dead-letter queue, after three tries
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.monitoring import Monitoring, function_graphs, queue_graphs
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.sandbox_bucket import SandboxBucket
from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.settings import Target
from stacks.support.shared_resources import PhotoStorage

# A batch of five photos at their slowest, with room.
_TIMEOUT = Duration.seconds(60)

_TRIES = 3

# Functions that a flood of uploads may keep busy. A new account runs ten in all (Lambda quotas), and the API and the
# sweep need some of them. Reserved concurrency would give each its own, but a new account has none to reserve.
_AT_ONCE = 5


class ThumbnailsStack(Stack):
    """Originals, the queue of uploads, the function, thumbnails and catalogue.

    storage: for who works with the photos
    uploads: the queue

    Bucket, queue and function are one stack: a notification across stacks makes them depend on each other in a circle.
    """

    def __init__(self, scope: Construct, construct_id: str, *, target: Target, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)

        self.dead_letter_queue = sqs.Queue(self, "DeadLetters", enforce_ssl=True, retention_period=Duration.days(14))
        self.upload_queue = sqs.Queue(
            self,
            "Uploads",
            enforce_ssl=True,
            # Six times the function's time-out, as the Lambda guide asks: no photo is handed out twice while in work.
            visibility_timeout=Duration.seconds(6 * _TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=_TRIES),
        )
        self.originals = self._originals()
        self.thumbnails = SandboxBucket(self, "Thumbnails")
        self.catalogue = self._catalogue()
        self.storage = PhotoStorage(self.originals, self.thumbnails, self.catalogue)
        self.function = self._function(target)
        self.monitoring = Monitoring(
            "Thumbnails",
            [*function_graphs(self.function), *queue_graphs(self.upload_queue, self.dead_letter_queue)],
            self._alarms(),
        )

        CfnOutput(self, "OriginalsBucket", value=self.originals.bucket_name)
        CfnOutput(self, "ThumbnailsBucket", value=self.thumbnails.bucket_name)
        CfnOutput(self, "CatalogueTable", value=self.catalogue.table_name)
        CfnOutput(self, "UploadQueueUrl", value=self.upload_queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.dead_letter_queue.queue_url)

    def _originals(self) -> s3.Bucket:
        originals = SandboxBucket(
            self,
            "Originals",
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
        )
        # `originals.add_event_notification` would do the same by a helper function of the CDK, whose log group
        # stays behind on destroy. CloudFormation can do it alone, if the queue lets the bucket in beforehand,
        # when its full name is not known yet: hence the wildcard, within this account and stack.
        self.upload_queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.upload_queue.queue_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": self.account},
                    "ArnLike": {"aws:SourceArn": f"arn:{self.partition}:s3:::{self.stack_name.lower()}-*"},
                },
            )
        )
        bucket: s3.CfnBucket = originals.node.default_child  # type: ignore[assignment]  # the L1 behind the L2
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event=event, queue=self.upload_queue.queue_arn)
                for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            ]
        )
        bucket.node.add_dependency(self.upload_queue.node.find_child("Policy"))
        # From a page of any origin: the form that it sends is signed, and says what it may upload.
        originals.add_cors_rule(allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], max_age=2 * 60 * 60)
        return originals

    def _catalogue(self) -> dynamodb.Table:
        catalogue = dynamodb.Table(
            self,
            "Catalogue",
            partition_key=dynamodb.Attribute(name="key", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(catalogue, DDB3="Every item can be made again from the originals: nothing to restore")
        # Page 1,000 costs what page 1 costs: a query of an index begins where the last one ended. All items are in
        # one partition of each, which is what gives them an order; it takes 1,000 writes a second.
        for index, attribute in (("newest-first", "created_at"), ("by-key", "key"), ("by-id", "id")):
            catalogue.add_global_secondary_index(
                index_name=index,
                partition_key=dynamodb.Attribute(name="listing", type=dynamodb.AttributeType.STRING),
                sort_key=dynamodb.Attribute(name=attribute, type=dynamodb.AttributeType.STRING),
            )
        return catalogue

    def _function(self, target: Target) -> PythonFunction:
        function = PythonFunction(
            self,
            "Function",
            source="thumbnail",
            target=target,
            memory_size=1769,  # from here on Lambda gives one whole vCPU (Lambda guide, "Memory")
            timeout=_TIMEOUT,
            environment={
                "ORIGINALS_BUCKET": self.originals.bucket_name,
                "THUMBNAILS_BUCKET": self.thumbnails.bucket_name,
                "CATALOGUE_TABLE": self.catalogue.table_name,
            },
            description="Makes the thumbnails of uploaded photos, removes those of deleted ones",
        )
        for actions, resource in (
            (["s3:GetObject"], self.originals.arn_for_objects("*")),
            # Without it S3 answers "access denied" where it means "not found".
            (["s3:ListBucket"], self.originals.bucket_arn),
            (["s3:PutObject", "s3:DeleteObject"], self.thumbnails.arn_for_objects("*/*.webp")),
            (["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], self.catalogue.table_arn),
            (["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], self.upload_queue.queue_arn),
        ):
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        acknowledge_wildcard(
            function.execution_role, self.originals, "Any object in the bucket is a photo, under any key"
        )
        acknowledge_wildcard(
            function.execution_role,
            self.thumbnails,
            "Thumbnails are named by photo, upload and size",
            objects="*/*.webp",
        )
        # Gone before the bucket is emptied, which it would fill again: events of uploads may still be in the queue.
        function.node.add_dependency(self.thumbnails)
        lambda_.EventSourceMapping(
            self,
            "UploadsToFunction",
            target=function,
            event_source_arn=self.upload_queue.queue_arn,
            batch_size=5,
            report_batch_item_failures=True,
            max_concurrency=_AT_ONCE,
        )
        return function

    def _alarms(self) -> list[cloudwatch.Alarm]:
        dead_letter_queue = self.dead_letter_queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(5), statistic="Maximum"
        ).create_alarm(
            self,
            "DeadLettersAlarm",
            alarm_description="Photos failed three times. `python -m operations redrive --inspect` prints the reasons. "
            "Fix the cause, then run `make redrive`.",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        oldest_upload = self.upload_queue.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(5), statistic="Maximum"
        ).create_alarm(
            self,
            "OldestUploadAlarm",
            alarm_description="A photo has waited over 15 minutes. See the function's log, throttles and duration.",
            threshold=15 * 60,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return [dead_letter_queue, oldest_upload]
