"""The upload queue in a mocked AWS, and what processes its messages."""

import boto3
import pytest

from photos.imaging import make_thumbnails
from tests.containers.thumbnailer.running_worker import Uploads
from tests.lambda_src.conftest import aws as aws
from tests.lambda_src.mocked_aws import MockedAws, set_environment
from thumbnail.clients import create_thumbnailer
from thumbnail.messages import MessageProcessor


@pytest.fixture
def uploads(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    sqs = boto3.client("sqs")
    return Uploads(sqs, sqs.create_queue(QueueName="uploads")["QueueUrl"], monkeypatch)


@pytest.fixture
def processor(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> MessageProcessor:
    set_environment(monkeypatch, UPLOAD_QUEUE_URL=uploads.url)
    return MessageProcessor(create_thumbnailer(make_thumbnails))
