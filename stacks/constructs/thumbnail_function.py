"""The function that makes thumbnails, with its permissions and its event source."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.monitoring import PERIOD
from stacks.constructs.python_function import PythonFunction
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.settings import Target
from stacks.support.shared_resources import PhotoStorage

# Enough for a batch of five photos that all reach the limit of CPU time (12 s, or 18 s in two attempts, see
# docs/thumbnails.md), so that they cost others no attempt. The handler leaves a photo in the queue if the remaining
# time might not suffice for it.
TIMEOUT = Duration.seconds(150)

# Maximum concurrency of the event source. A new account has ten concurrent executions in total (Lambda quotas), and the
# API and the sweep need some of them. Reserved concurrency is not an option, because such an account has none to
# reserve.
_MAX_CONCURRENCY = 5


# Delays of a failed message: seconds for a fault that passes quickly, then minutes, so that throttling that lasts does
# not use up all attempts. At least five attempts, as the Lambda guide recommends ("Configuring a queue").
_RETRY_SECONDS = (5, 30, 120, 600)
MAX_ATTEMPTS = len(_RETRY_SECONDS) + 1

# The end of the log line of a rejected photo (`lambda_src/thumbnail/handler.py`).
REJECTED = "* processed: rejected, *"


class ThumbnailFunction(PythonFunction):
    """`lambda_src/thumbnail`, which consumes the upload queue in batches.

    Attributes:
        rejections: Number of rejected photos. One of ten custom metrics that are free of charge.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, storage: PhotoStorage, upload_queue: sqs.IQueue, target: Target
    ) -> None:
        originals, thumbnails, catalogue = storage.originals, storage.thumbnails, storage.catalogue
        super().__init__(
            scope,
            construct_id,
            source="thumbnail",
            target=target,
            memory_size=1769,  # from this size on, a function has one full vCPU ("Memory" in the Lambda guide)
            timeout=TIMEOUT,
            environment={
                **storage.environment_variables(),
                "UPLOAD_QUEUE_URL": upload_queue.queue_url,
                "RETRY_SECONDS": " ".join(map(str, _RETRY_SECONDS)),
            },
            description="Makes thumbnails of uploaded photos and deletes those of deleted photos",
        )
        self.allow(["s3:GetObject"], originals.arn_for_objects("*"))
        # Without s3:ListBucket, S3 returns AccessDenied instead of NoSuchKey for an object that does not exist.
        self.allow(["s3:ListBucket"], originals.bucket_arn)
        self.allow(["s3:PutObject", "s3:DeleteObject"], thumbnails.arn_for_objects("*/*.webp"))
        self.allow(["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], catalogue.table_arn)
        self.allow(
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            upload_queue.queue_arn,
        )
        acknowledge_wildcard(self.execution_role, originals, "Any object in the bucket is a photo, under any key")
        acknowledge_wildcard(
            self.execution_role, thumbnails, "Keys contain the photo, the upload, and the size", objects="*/*.webp"
        )
        # Delete the function before the bucket is emptied. Otherwise, events left in the queue could refill the bucket.
        self.node.add_dependency(thumbnails)
        lambda_.EventSourceMapping(
            scope,
            "UploadsToFunction",
            target=self,
            event_source_arn=upload_queue.queue_arn,
            batch_size=5,
            report_batch_item_failures=True,
            max_concurrency=_MAX_CONCURRENCY,
        )
        self.rejections = logs.MetricFilter(
            scope,
            "Rejections",
            log_group=self.log_group,
            filter_pattern=logs.FilterPattern.string_value("$.message", "=", REJECTED),
            metric_namespace=Stack.of(scope).stack_name,
            metric_name="RejectedPhotos",
            default_value=0,
        ).metric(period=PERIOD, statistic="Sum", label="rejected")
