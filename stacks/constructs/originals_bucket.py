"""A bucket that sends its events to a queue, without a custom resource."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.sandbox_bucket import SandboxBucket

_MAX_AGE_OF_CORS_RULE = 2 * 60 * 60  # seconds


class OriginalsBucket(SandboxBucket):
    """The bucket for uploaded photos. S3 sends an event to `upload_queue` for every object that is created or removed.

    `add_event_notification` uses a custom resource of the CDK, whose log group remains after `cdk destroy`. The
    property of the bucket needs none. S3 validates the queue policy when it configures the notification, so the policy
    must exist before the name of the bucket is known. It therefore allows all buckets of this account whose names start
    with the stack's name.
    """

    def __init__(self, scope: Construct, construct_id: str, *, upload_queue: sqs.Queue) -> None:
        super().__init__(
            scope,
            construct_id,
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
        )
        stack = Stack.of(self)
        upload_queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[upload_queue.queue_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:s3:::{stack.stack_name.lower()}-*"},
                },
            )
        )
        bucket: s3.CfnBucket = self.node.default_child  # type: ignore[assignment]  # the L1 of this L2
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event=event, queue=upload_queue.queue_arn)
                for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
            ]
        )
        bucket.node.add_dependency(upload_queue.node.find_child("Policy"))
        # Any origin may use a presigned POST: its signature limits what it can upload.
        self.add_cors_rule(allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], max_age=_MAX_AGE_OF_CORS_RULE)
