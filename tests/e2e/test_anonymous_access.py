"""What is reached past the API: whoever has no right of this account gets through none of its doors."""

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
from tests.e2e.failure_scenarios import uploaded_photo, waiting

KEY = "behind doors.jpg"

_REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "MissingAuthenticationToken"}

# Service, call, and what it is called with.
_Try = tuple[str, str, dict[str, Any]]


def _tries(sandbox: Sandbox) -> Iterator[_Try]:
    """What policies of our own say about, so that they could let in anyone at all."""
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


def _more_tries(sandbox: Sandbox) -> Iterator[_Try]:
    """What AWS does for nobody of another account."""
    sweep, table = sandbox.outputs["Cron"]["SweepFunction"], sandbox.outputs["Thumbnails"]["CatalogueTable"]
    yield "dynamodb", "scan", {"TableName": table}
    yield "dynamodb", "delete_table", {"TableName": table}
    yield "lambda", "invoke", {"FunctionName": sweep}
    yield "lambda", "get_function", {"FunctionName": sweep}
    yield "apigateway", "get_api_key", {"apiKey": sandbox.outputs["Api"]["ApiKeyId"], "includeValue": True}
    yield "ecr", "describe_images", {"repositoryName": "other-compute/gallery"}


@contextmanager
def _user_without_rights(sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """Credentials of somebody in the account whom no policy names."""
    iam, name = sandbox.client("iam"), "somebody"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def _assert_denied(sandbox: Sandbox, tries: Iterator[_Try], **credentials: Any) -> None:
    """Make each of these calls, and assert that it is denied."""
    for service, call, arguments in tries:
        client = boto3.client(  # type: ignore[call-overload]  # the name is not known to the type checker
            service, endpoint_url=sandbox.emulator.endpoint, region_name=REGION, **credentials
        )
        with pytest.raises(ClientError) as refusal:
            getattr(client, call)(**arguments)
        assert refusal.value.response["Error"]["Code"] in _REFUSALS, (service, call, refusal.value)


@pytest.fixture
def photo(sandbox: Sandbox) -> Iterator[None]:
    """A photo that nobody touches."""
    with uploaded_photo(sandbox, KEY):
        yield


def _assert_untouched(sandbox: Sandbox) -> None:
    """The photo is there, alone, and no queue has got anything."""
    there = sandbox.client("s3").list_objects_v2(Bucket=sandbox.outputs["Thumbnails"]["OriginalsBucket"])["Contents"]
    assert [entry["Key"] for entry in there] == [KEY]
    eventually(lambda: not waiting(sandbox, "Thumbnails", "UploadQueueUrl"))  # S3 tells of the photo itself
    assert waiting(sandbox, "Thumbnails") == waiting(sandbox, "Cron") == 0


@pytest.mark.guarantee("Closed")
def test_unsigned_calls_are_denied(sandbox: Sandbox, photo: None) -> None:
    _assert_denied(sandbox, _tries(sandbox), config=Config(signature_version=UNSIGNED))
    _assert_untouched(sandbox)


@pytest.mark.guarantee("Closed")
def test_user_without_permissions_is_denied(sandbox: Sandbox, photo: None) -> None:
    with _user_without_rights(sandbox) as credentials:
        _assert_denied(sandbox, _tries(sandbox), **credentials)
        _assert_denied(sandbox, _more_tries(sandbox), **credentials)
    _assert_untouched(sandbox)
