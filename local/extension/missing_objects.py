"""S3 tells that an object is not there only to who may list its bucket; all others are denied, as on AWS.

See "GetObject", "Permissions", in the Amazon S3 API Reference.
"""

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import s3


def extend() -> None:
    """Ask for the right to list where an object is read that is not there."""
    enforce = iam_evaluator.enforce
    s3._buckets  # noqa: B018  # stop early if gone

    def enforce_and_hide(key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        denied = enforce(key, action, service, region, resource_arn, **more)
        bucket, _, name = resource_arn.removeprefix("arn:aws:s3:::").partition("/")
        if denied or action != "s3:GetObject" or name in s3._buckets.get(bucket, {}).get("objects", {}):
            return denied
        return enforce(key, "s3:ListBucket", service, region, f"arn:aws:s3:::{bucket}")

    iam_evaluator.enforce = enforce_and_hide
