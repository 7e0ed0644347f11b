"""What the thumbnailer needs on every compute service: permissions, environment variables, and retries."""

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.monitoring import PERIOD
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.policies import allow
from stacks.support.shared_resources import PhotoStorage

# Delays of a failed message: seconds for a fault that passes quickly, then minutes, so that throttling that lasts does
# not use up all attempts. At least five attempts, as the Lambda guide recommends ("Configuring a queue").
_RETRY_SECONDS = (5, 30, 120, 600)
MAX_ATTEMPTS = len(_RETRY_SECONDS) + 1

# The log line of a rejected photo contains this text.
REJECTED = "processed: rejected,"


def allow_thumbnails(role: iam.Role, storage: PhotoStorage) -> None:
    """Allow a role to make thumbnails of uploaded photos, and to delete those of deleted photos."""
    originals, thumbnails = storage.originals, storage.thumbnails
    allow(role, ["s3:GetObject"], originals.arn_for_objects("*"))
    # Without s3:ListBucket, S3 returns AccessDenied instead of NoSuchKey for an object that does not exist.
    allow(role, ["s3:ListBucket"], originals.bucket_arn)
    allow(role, ["s3:PutObject", "s3:DeleteObject"], thumbnails.arn_for_objects("*/*.webp"))
    allow(role, ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], storage.catalogue.table_arn)
    acknowledge_wildcard(role, originals, "Any object in the bucket is a photo, under any key")
    acknowledge_wildcard(role, thumbnails, "Keys contain the photo, the upload, and the size", objects="*/*.webp")


def consumer_environment(storage: PhotoStorage, upload_queue: sqs.IQueue) -> dict[str, str]:
    """Return the environment variables of a consumer of the upload queue."""
    return {
        **storage.environment_variables(),
        "UPLOAD_QUEUE_URL": upload_queue.queue_url,
        "RETRY_SECONDS": " ".join(map(str, _RETRY_SECONDS)),
    }


def rejection_metric(scope: Construct, log_group: logs.ILogGroup, pattern: logs.IFilterPattern) -> cloudwatch.IMetric:
    """Count the rejected photos in a log. This is one of ten custom metrics that are free of charge."""
    return logs.MetricFilter(
        scope,
        "Rejections",
        log_group=log_group,
        filter_pattern=pattern,
        metric_namespace=Stack.of(scope).stack_name,
        metric_name="RejectedPhotos",
        default_value=0,
    ).metric(period=PERIOD, statistic="Sum", label="rejected")
