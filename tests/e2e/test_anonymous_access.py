"""Calls of AWS APIs without permissions: unsigned, and by an IAM user without policies."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local.emulator import REGION
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import dead_letters
from tests.e2e.photos import originals, uploaded_photo

KEY = "protected photo.jpg"

_DENIALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "MissingAuthenticationToken"}

# Service, method of its client, and arguments.
_Call = tuple[str, str, dict[str, Any]]


def _calls_with_resource_policies(sandbox: Sandbox) -> Iterator[_Call]:
    """Yield calls to resources whose own policies could allow anonymous access."""
    photos, cron = sandbox.outputs["Thumbnails"], sandbox.outputs["Cron"]
    for bucket in (photos["OriginalsBucket"], photos["ThumbnailsBucket"]):
        yield "s3", "list_objects_v2", {"Bucket": bucket}
        yield "s3", "get_object", {"Bucket": bucket, "Key": KEY}
        yield "s3", "put_object", {"Bucket": bucket, "Key": "mine.jpg", "Body": b"mine"}
        yield "s3", "delete_object", {"Bucket": bucket, "Key": KEY}
        yield "s3", "put_bucket_policy", {"Bucket": bucket, "Policy": "{}"}
        yield "s3", "delete_bucket_policy", {"Bucket": bucket}
        yield "s3", "delete_public_access_block", {"Bucket": bucket}
    for queue in (photos["UploadQueueUrl"], photos["DeadLetterQueueUrl"], cron["DeadLetterQueueUrl"]):
        yield "sqs", "send_message", {"QueueUrl": queue, "MessageBody": "{}"}
        yield "sqs", "receive_message", {"QueueUrl": queue}
        yield "sqs", "purge_queue", {"QueueUrl": queue}
    yield "sns", "publish", {"TopicArn": sandbox.outputs["Guardrails"]["AlertTopic"], "Message": "fire"}


def _calls_with_identity_policies(sandbox: Sandbox) -> Iterator[_Call]:
    """Yield calls that AWS never allows without credentials of the account."""
    sweep, table = sandbox.outputs["Cron"]["SweepFunction"], sandbox.outputs["Thumbnails"]["CatalogueTable"]
    yield "dynamodb", "scan", {"TableName": table}
    yield "dynamodb", "delete_table", {"TableName": table}
    yield "lambda", "invoke", {"FunctionName": sweep}
    yield "lambda", "get_function", {"FunctionName": sweep}
    yield "apigateway", "get_api_key", {"apiKey": sandbox.outputs["Api"]["ApiKeyId"], "includeValue": True}
    yield "ecr", "describe_images", {"repositoryName": "other-compute/gallery"}


@contextmanager
def _user_without_permissions(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """Create an IAM user without policies, and yield its credentials."""
    iam, name = sandbox.client("iam"), "without-permissions"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def _assert_denied(sandbox: Sandbox, calls: list[_Call], **credentials: Any) -> None:
    """Assert that every call is denied."""
    for service, call, arguments in calls:
        client = boto3.client(  # type: ignore[call-overload]  # the name is not known to the type checker
            service, endpoint_url=sandbox.emulator.endpoint, region_name=REGION, **credentials
        )
        with pytest.raises(ClientError) as denial:
            getattr(client, call)(**arguments)
        assert denial.value.response["Error"]["Code"] in _DENIALS, (service, call, denial.value)


@pytest.fixture(autouse=True)
def photo(sandbox: Sandbox) -> Iterator[None]:
    """A photo that must not change, in queues that must stay empty."""
    with uploaded_photo(sandbox, KEY):
        yield
        assert originals(sandbox) == [KEY]
        eventually(lambda: not sandbox.queue_depth(sandbox.outputs["Thumbnails"]["UploadQueueUrl"]))
        assert dead_letters(sandbox, "Thumbnails") == dead_letters(sandbox, "Cron") == 0


@pytest.mark.guarantee("Closed")
def test_unsigned_calls_are_denied(sandbox: Sandbox) -> None:
    calls = [*_calls_with_resource_policies(sandbox)]
    _assert_denied(sandbox, calls, config=Config(signature_version=UNSIGNED))


@pytest.mark.guarantee("Closed")
def test_user_without_permissions_is_denied(sandbox: Sandbox) -> None:
    calls = [*_calls_with_resource_policies(sandbox), *_calls_with_identity_policies(sandbox)]
    with _user_without_permissions(sandbox) as credentials:
        _assert_denied(sandbox, calls, **credentials)
