"""AWS mocked in process, for tests of the Lambda code."""

import importlib
from dataclasses import dataclass
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from PIL import Image

from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.imaging import make_thumbnails
from photos.keys import photo_id
from photos.listing import Listing
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Thumbnailer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ORIGINALS, THUMBNAILS, CATALOGUE = "originals", "thumbnails", "catalogue"


def jpeg(color: str = "red", size: tuple[int, int] = (300, 200)) -> bytes:
    """Return a small photo in one color."""
    file = BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()


def set_environment(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Set the environment variables that the templates set, and these."""
    names = {"ORIGINALS_BUCKET": ORIGINALS, "THUMBNAILS_BUCKET": THUMBNAILS, "CATALOGUE_TABLE": CATALOGUE}
    names |= {"UPLOAD_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/uploads", "RETRY_SECONDS": "5 30"}
    for variable, value in (names | environment).items():
        monkeypatch.setenv(variable, value)


def load_function(monkeypatch: pytest.MonkeyPatch, name: str, **environment: str) -> ModuleType:
    """Return the handler module of a function, imported as in a cold start: with its environment and new clients."""
    set_environment(monkeypatch, **environment)
    return importlib.reload(importlib.import_module(f"{name}.handler"))


class LambdaContext:
    """The context of an invocation that has this much time left."""

    function_name = "function"

    def __init__(self, seconds: float = 900) -> None:
        self._milliseconds = int(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return self._milliseconds


class RecordedBatch:
    """A fake AWS Batch client that records submitted jobs and reports the status that a test sets.

    Attributes:
        submitted: The requests, in order. The first job is `job-1`.
        status: Status by job id. AWS Batch no longer knows a job that is missing here.
    """

    def __init__(self) -> None:
        self.submitted: list[dict[str, Any]] = []
        self.status: dict[str, str] = {}

    def submit_job(self, **request: Any) -> dict[str, str]:
        """Fake the method of the client."""
        self.submitted.append(request)
        job = f"job-{len(self.submitted)}"
        self.status[job] = "SUBMITTED"
        return {"jobId": job}

    def describe_jobs(self, *, jobs: list[str]) -> dict[str, list[dict[str, str]]]:
        """Fake the method of the client."""
        return {"jobs": [{"jobId": job, "status": self.status[job]} for job in jobs if job in self.status]}


@dataclass
class MockedAws:
    """The buckets and the table of the service, and the parts of the domain that use them."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"

    def __post_init__(self) -> None:
        self.originals = Originals(self.s3, ORIGINALS)
        self.thumbnail_bucket = Thumbnails(self.s3, THUMBNAILS)
        self.catalogue = Catalogue(self.dynamodb, CATALOGUE)
        self.listing = Listing(self.dynamodb, CATALOGUE)
        self.thumbnailer = Thumbnailer(self.originals, self.thumbnail_bucket, self.catalogue, make_thumbnails)

    def put(self, key: str, body: bytes) -> str:
        """Put an original. Returns its ETag without quotes."""
        return self.s3.put_object(Bucket=ORIGINALS, Key=key, Body=body)["ETag"].strip('"')

    def upload(self, key: str, body: bytes, sequencer: str = "01") -> Upload:
        """Put an original whose event has this sequencer."""
        return Upload(self.put(key, body), sequencer)

    def delete(self, key: str) -> None:
        """Delete an original."""
        self.s3.delete_object(Bucket=ORIGINALS, Key=key)

    def process(self, key: str, body: bytes | None = None, sequencer: str = "01") -> Upload:
        """Put an original (by default a photo) and process its event."""
        upload = self.upload(key, jpeg() if body is None else body, sequencer)
        self.thumbnailer.process_upload(key, upload)
        return upload

    def thumbnails(self) -> dict[str, bytes]:
        """Return all objects of the thumbnails bucket, by key."""
        listed = self.s3.list_objects_v2(Bucket=THUMBNAILS).get("Contents", [])
        return {
            entry["Key"]: self.s3.get_object(Bucket=THUMBNAILS, Key=entry["Key"])["Body"].read() for entry in listed
        }

    def items(self) -> dict[str, dict[str, Any]]:
        """Return all items of the catalogue, by key of the original."""
        deserialize = TypeDeserializer().deserialize
        scanned = self.dynamodb.scan(TableName=CATALOGUE, ConsistentRead=True)["Items"]
        items = [{name: deserialize(value) for name, value in item.items()} for item in scanned]
        return {item["key"]: item for item in items}

    def assert_consistent(self) -> None:
        """Assert that the thumbnails bucket holds exactly what the catalogue names, apart from reports."""
        items = self.items()
        named = {path for item in items.values() for path in item.get("thumbnails", {}).values()}
        assert {key for key in self.thumbnails() if not key.startswith("reports/")} == named
        assert all(item["id"] == photo_id(key) for key, item in items.items())
