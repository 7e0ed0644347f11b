"""AWS Lambda for short, event-driven work. In the notes: "Create Thumbnails for images uploaded onto S3".

Every upload to the originals bucket sends an event to a queue, and the function makes the thumbnails. Lambda scales
with the number of events and bills by the millisecond; nothing runs while no one uploads.

    originals bucket → upload queue → function → thumbnails bucket + catalogue table
                            └→ dead-letter queue, after five attempts

The function is a deployment package, or with the setting `thumbnails_on=lambda-image` a container image. With `fargate`
or `ec2`, this stack has no function: `stacks/workers.py` consumes the queue.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.built_image import BuiltImage
from stacks.constructs.monitoring import (
    PERIOD,
    Graph,
    Monitoring,
    create_alarm,
    dead_letter_alarm,
    function_graphs,
    queue_graphs,
)
from stacks.constructs.originals_bucket import OriginalsBucket
from stacks.constructs.sandbox_bucket import SandboxBucket
from stacks.constructs.thumbnail_function import TIMEOUT, ThumbnailFunction
from stacks.constructs.thumbnailer import MAX_ATTEMPTS
from stacks.support.cdk_nag import acknowledge
from stacks.support.settings import Target, ThumbnailsOn
from stacks.support.shared_resources import PhotoStorage

# Where to look when photos wait.
_FUNCTION = "See the log, the throttles, and the duration of the function."
_WORKERS = "See the log of the workers, and the events of their service in the ECS console."
_REASONS_TO_WAIT = {"lambda": _FUNCTION, "lambda-image": _FUNCTION, "fargate": _WORKERS, "ec2": _WORKERS}

# A change between the two kinds of functions replaces the function. The template of the dashboard must then change,
# too: otherwise, the CDK CLI would skip it, and it would keep the name of the old function ("Fn::GetStackOutput").
_NOTES = {"lambda-image": "The function runs from a container image."}


class ThumbnailsStack(Stack):
    """The originals bucket, the upload queue, the function, the thumbnails bucket, and the catalogue.

    Bucket, queue, and function share a stack, because a notification across stacks would create a circular dependency.

    Args:
        thumbnails_on: Compute that makes thumbnails.
        image: Container image with the function, for `lambda-image`.

    Attributes:
        storage: The buckets and the table.
        upload_queue: Receives S3 events of the originals bucket.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        thumbnails_on: ThumbnailsOn,
        image: BuiltImage,
        target: Target,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        dead_letter_queue = sqs.Queue(self, "DeadLetters", enforce_ssl=True, retention_period=Duration.days(14))
        self.upload_queue = sqs.Queue(
            self,
            "Uploads",
            enforce_ssl=True,
            # Six times the timeout of the function, as the Lambda guide recommends ("Configuring a queue"; a batching
            # window, which this mapping does not have, would be added): no photo is received again while the function
            # works on it. The function shortens it for a message that failed. Workers choose their own timeout.
            visibility_timeout=Duration.seconds(6 * TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letter_queue, max_receive_count=MAX_ATTEMPTS),
        )
        self.storage = PhotoStorage(
            originals=OriginalsBucket(self, "Originals", upload_queue=self.upload_queue),
            thumbnails=SandboxBucket(self, "Thumbnails"),
            catalogue=self._catalogue(),
        )
        graphs = queue_graphs(self.upload_queue, dead_letter_queue)
        if thumbnails_on in ("lambda", "lambda-image"):
            function = ThumbnailFunction(
                self,
                "Function",
                storage=self.storage,
                upload_queue=self.upload_queue,
                image=image if thumbnails_on == "lambda-image" else None,
                target=target,
            )
            graphs = [*function_graphs(function), *graphs, Graph("Rejected photos", [function.rejections])]
        self.monitoring = Monitoring(
            "Thumbnails",
            graphs,
            [
                dead_letter_alarm(
                    self,
                    "DeadLettersAlarm",
                    dead_letter_queue,
                    description=f"Photos failed {MAX_ATTEMPTS} times. `python -m operations redrive --inspect` prints "
                    "the reasons. Fix the cause, then run `make redrive`.",
                ),
                create_alarm(
                    self,
                    "OldestUploadAlarm",
                    self.upload_queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
                    threshold=15 * 60,
                    description=f"A photo has waited for more than 15 minutes. {_REASONS_TO_WAIT[thumbnails_on]}",
                ),
            ],
            note=_NOTES.get(thumbnails_on, ""),
        )

        CfnOutput(self, "OriginalsBucket", value=self.storage.originals.bucket_name)
        CfnOutput(self, "ThumbnailsBucket", value=self.storage.thumbnails.bucket_name)
        CfnOutput(self, "CatalogueTable", value=self.storage.catalogue.table_name)
        CfnOutput(self, "UploadQueueUrl", value=self.upload_queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=dead_letter_queue.queue_url)

    def _catalogue(self) -> dynamodb.Table:
        catalogue = dynamodb.Table(
            self,
            "Catalogue",
            partition_key=dynamodb.Attribute(name="key", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(catalogue, DDB3="No backup is needed: the sweep recreates every item from the originals")
        # Page 1,000 of the list costs the same as page 1, because a query starts where the previous one ended. To sort
        # all items, the index keeps them in one partition, which accepts 1,000 writes per second.
        catalogue.add_global_secondary_index(
            index_name="newest-first",
            partition_key=dynamodb.Attribute(name="listing", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="created_at", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["id", "state", "thumbnails", "code", "reason"],  # what the list shows
        )
        catalogue.add_global_secondary_index(
            index_name="by-id",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        # DynamoDB creates or deletes only one index in an update. A change of several needs a new table: increase
        # the number in its logical id. The next sweep requeues every photo, which fills the table.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html
        table = catalogue.node.default_child
        assert isinstance(table, dynamodb.CfnTable)
        table.override_logical_id("Catalogue00000002")
        return catalogue
