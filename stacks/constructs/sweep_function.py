"""The function of the nightly sweep, with its permissions and its event invoke config."""

from aws_cdk import Duration, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.python_function import PythonFunction
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.settings import Target
from stacks.support.shared_resources import PhotoStorage


class SweepFunction(PythonFunction):
    """`lambda_src/sweep`, which invokes itself again before its timeout until it has compared all photos.

    Args:
        retries: Retries after a failed invocation, before the event goes to `dead_letter_queue`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PhotoStorage,
        upload_queue: sqs.IQueue,
        dead_letter_queue: sqs.IQueue,
        retries: int,
        target: Target,
    ) -> None:
        originals, thumbnails, catalogue = storage.originals, storage.thumbnails, storage.catalogue
        super().__init__(
            scope,
            construct_id,
            source="sweep",
            target=target,
            memory_size=512,  # enough for one page of each listing; the function mostly waits for responses
            timeout=Duration.minutes(15),  # the maximum of Lambda
            # For the snapshot of the catalogue: about 520 bytes per photo, so more than three million photos. 512 MiB
            # are free; the rest costs less than a cent per month.
            ephemeral_storage_size=Size.gibibytes(2),
            environment={**storage.environment_variables(), "UPLOAD_QUEUE_URL": upload_queue.queue_url},
            description="Compares originals, thumbnails, and catalogue every night and repairs differences",
        )
        self.allow(["s3:ListBucket", "s3:ListBucketMultipartUploads"], originals.bucket_arn)
        self.allow(["s3:GetObject", "s3:AbortMultipartUpload"], originals.arn_for_objects("*"))
        self.allow(["s3:ListBucket"], thumbnails.bucket_arn)
        self.allow(["s3:DeleteObject"], thumbnails.arn_for_objects("*/*.webp"))
        self.allow(["s3:PutObject"], thumbnails.arn_for_objects("reports/*"))
        self.allow(["dynamodb:Scan", "dynamodb:DeleteItem"], catalogue.table_arn)
        self.allow(["sqs:SendMessage"], upload_queue.queue_arn)
        self.allow(["sqs:SendMessage"], dead_letter_queue.queue_arn)
        role = self.execution_role
        acknowledge_wildcard(role, originals, "Any object in the bucket is a photo, under any key")
        acknowledge_wildcard(role, thumbnails, "Keys contain the photo, the upload, and the size", objects="*/*.webp")
        acknowledge_wildcard(role, thumbnails, "Each night writes a report with its own key", objects="reports/*")
        # A separate policy, because the function depends on the role's default policy, which cannot refer back to it.
        iam.Policy(
            scope,
            "GoOn",
            roles=[role],
            statements=[iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self.function_arn])],
        )
        # The L1 construct, because the L2 destination would also allow the function to read the queue's attributes.
        lambda_.CfnEventInvokeConfig(
            scope,
            "Retries",
            function_name=self.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=retries,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=dead_letter_queue.queue_arn)
            ),
        )
