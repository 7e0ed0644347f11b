"""Access log of a REST API: one line of JSON per request, delivered to a bucket by Amazon Data Firehose.

The log does not go to CloudWatch Logs, because API Gateway would then need a role that is set for the whole account and
Region. A stack that sets it overwrites the setting of other stacks, and does not restore it (aws-cdk issues 22020,
26836).
"""

import json

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.constructs.sandbox_bucket import SandboxBucket
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.policies import allow

# The format contains no request headers, because API Gateway would write their values into the line without escaping
# them.
_LINE = {
    "time": "$context.requestTime",
    "id": "$context.requestId",
    "trace": "$context.xrayTraceId",
    "ip": "$context.identity.sourceIp",
    "key": "$context.identity.apiKeyId",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "milliseconds": "$context.responseLatency",
    "bytes": "$context.responseLength",
}


class AccessLog(Construct):
    """A Firehose delivery stream and the bucket that it writes to.

    Args:
        name: Name of the stream. The prefix that API Gateway requires is added.

    Attributes:
        bucket: Stores the log for a week.
        destination: Access log destination for an API stage.
        format: Access log format for an API stage.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = SandboxBucket(self, "Bucket", lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(7))])
        role = self._role()
        stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name=f"amazon-apigateway-{name}",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.bucket.bucket_arn,
                role_arn=role.role_arn,
                # Firehose rejects one of these without the other. It makes a PUT request in each interval: at one a
                # minute, they would cost more than the log itself.
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=300, size_in_m_bs=5
                ),
                processing_configuration=_one_record_per_line(),
            ),
        )
        # The stream is created after the role's policy, and deleted before the bucket is emptied, so that it cannot
        # write again.
        stream.node.add_dependency(role, self.bucket)
        self.destination = apigateway.FirehoseLogDestination(stream)
        self.format = apigateway.AccessLogFormat.custom(json.dumps(_LINE))

    def _role(self) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"))
        objects, bucket = self.bucket.arn_for_objects("*"), self.bucket.bucket_arn
        allow(role, ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"], objects)
        allow(role, ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], bucket)
        acknowledge_wildcard(role, self.bucket, "Firehose derives object keys from the time")
        return role


def _one_record_per_line() -> firehose.CfnDeliveryStream.ProcessingConfigurationProperty:
    newline = firehose.CfnDeliveryStream.ProcessorParameterProperty(parameter_name="Delimiter", parameter_value="\\n")
    return firehose.CfnDeliveryStream.ProcessingConfigurationProperty(
        enabled=True,
        processors=[firehose.CfnDeliveryStream.ProcessorProperty(type="AppendDelimiterToRecord", parameters=[newline])],
    )
