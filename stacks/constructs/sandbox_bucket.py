"""An S3 bucket for a sandbox account."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.support.cdk_nag import acknowledge


class SandboxBucket(s3.Bucket):
    """A private, encrypted bucket that requires TLS. `cdk destroy` empties and deletes it."""

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
        acknowledge(self, S1="A sandbox reads no access log, and the log would refill its bucket during destroy")
