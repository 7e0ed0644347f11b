"""An S3 bucket for a sandbox account."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.support.cdk_nag import acknowledge


class SandboxBucket(s3.Bucket):
    """Private, encrypted, reached over TLS only; emptied and deleted with its stack."""

    def __init__(
        self, scope: Construct, construct_id: str, *, lifecycle_rules: Sequence[s3.LifecycleRule] = ()
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=list(lifecycle_rules),
            removal_policy=RemovalPolicy.DESTROY,
            auto_delete_objects=True,
        )
        acknowledge(self, S1="An access log would fill a bucket that nobody reads, and refill it while it is emptied")
