"""S3 buckets in CloudFormation: tags, protection of buckets that are not empty, and auto-delete objects.

The emulator ignores the tags, and deletes buckets with their objects. In an account, the CDK's
`Custom::S3AutoDeleteObjects` is a Node.js function that uses the AWS SDK of the Lambda runtime. Here it is a handler in
Python.
"""

from ministack.services import s3
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension.cloudformation import Properties, register, wrap

# The CDK empties only buckets with this tag (aws-cdk-lib, auto-delete-objects-handler).
_TAG = "aws-cdk:auto-delete-objects"


def extend() -> None:
    """Extend the handler of buckets and register the one of auto-delete objects."""
    bucket = _RESOURCE_HANDLERS["AWS::S3::Bucket"]
    delete = bucket["delete"]

    def delete_if_empty(name: str, props: Properties) -> None:
        if s3._buckets.get(name, {}).get("objects"):
            raise ValueError(f"The bucket you tried to delete is not empty: {name}")
        delete(name, props)

    bucket["delete"] = delete_if_empty
    wrap("AWS::S3::Bucket", after=_put_tags)
    register(
        "Custom::S3AutoDeleteObjects",
        create=lambda name, props: (f"{props['BucketName']}-auto-delete-objects", {}),
        update=lambda physical_id, props: {},
        delete=_empty,
    )


def _put_tags(name: str, props: Properties) -> None:
    s3._bucket_tags[name] = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}


def _empty(physical_id: str, props: Properties) -> None:
    name = props["BucketName"]
    if s3._bucket_tags.get(name, {}).get(_TAG) != "true":
        raise ValueError(f"The bucket {name} has no tag {_TAG}")
    for key in list(s3._buckets[name]["objects"]):
        s3._delete_object(name, key, {})
