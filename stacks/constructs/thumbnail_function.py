"""The function that makes thumbnails, with its permissions and its event source."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.built_image import BuiltImage
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.thumbnailer import REJECTED, allow_thumbnails, consumer_environment, rejection_metric
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


class ThumbnailFunction(PythonFunction):
    """`lambda_src/thumbnail`, which consumes the upload queue in batches.

    Args:
        image: A container image with the function. If None, it is deployed as a package.

    Attributes:
        rejections: Number of rejected photos.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PhotoStorage,
        upload_queue: sqs.IQueue,
        image: BuiltImage | None,
        target: Target,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            source="thumbnail",
            image=image.function_code("thumbnail.handler.handler") if image else None,
            target=target,
            memory_size=1769,  # from this size on, a function has one full vCPU ("Memory" in the Lambda guide)
            timeout=TIMEOUT,
            environment=consumer_environment(storage, upload_queue),
            description="Makes thumbnails of uploaded photos and deletes those of deleted photos",
        )
        allow_thumbnails(self.execution_role, storage)
        self.allow(
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
            upload_queue.queue_arn,
        )
        # Delete the function before the bucket is emptied. Otherwise, events left in the queue could refill the bucket.
        self.node.add_dependency(storage.thumbnails)
        lambda_.EventSourceMapping(
            scope,
            "UploadsToFunction",
            target=self,
            event_source_arn=upload_queue.queue_arn,
            batch_size=5,
            report_batch_item_failures=True,
            max_concurrency=_MAX_CONCURRENCY,
        )
        # Lambda writes each line of the log as JSON.
        rejected = logs.FilterPattern.string_value("$.message", "=", f"* {REJECTED} *")
        self.rejections = rejection_metric(scope, self.log_group, rejected)
