"""S3 as CloudFormation treats it: tags, no deletion of a bucket that holds objects, and the CDK's helper for that.

That helper is a Node.js function that needs an AWS SDK which only Lambda has; here it is a few lines of Python.
"""

from typing import Any

from ministack.services import s3
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

# The helper of the CDK empties only buckets with this tag (aws-cdk-lib, auto-delete-objects-handler).
_TAG = "aws-cdk:auto-delete-objects"


def extend() -> None:
    """Replace the bucket's handler, and add the one of the CDK's helper."""
    bucket = _RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update, delete = bucket["create"], bucket["update"], bucket["delete"]

    def create_with_tags(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        result = create(logical_id, props, stack_name)
        _put_tags(result[0], props)
        return result

    def update_with_tags(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        result = update(name, old, new, stack_name)
        _put_tags(result[0], new)
        return result

    def delete_if_empty(name: str, props: dict[str, Any]) -> None:
        if s3._buckets.get(name, {}).get("objects"):
            raise ValueError(f"The bucket you tried to delete is not empty: {name}")
        delete(name, props)

    bucket.update(create=create_with_tags, update=update_with_tags, delete=delete_if_empty)
    _RESOURCE_HANDLERS["Custom::S3AutoDeleteObjects"] = {
        "create": lambda logical_id, props, stack_name: (f"{props['BucketName']}-emptied-on-delete", {}),
        "update": lambda physical_id, old, new, stack_name: (physical_id, {}),
        "delete": _empty,
    }


def _put_tags(name: str, props: dict[str, Any]) -> None:
    s3._bucket_tags[name] = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}


def _empty(physical_id: str, props: dict[str, Any]) -> None:
    name = props["BucketName"]
    if s3._bucket_tags.get(name, {}).get(_TAG) != "true":
        raise ValueError(f"{name} has no tag {_TAG}: it is not emptied")
    for key in list(s3._buckets[name]["objects"]):
        s3._delete_object(name, key, {})
