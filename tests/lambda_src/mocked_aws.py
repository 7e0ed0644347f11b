"""What tests of the Lambda code ask of an AWS mocked in process."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer
from PIL import Image

from photos.keys import photo_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ORIGINALS, THUMBNAILS, CATALOGUE = "originals", "thumbnails", "catalogue"


def jpeg(color: str = "red", size: tuple[int, int] = (300, 200)) -> bytes:
    """A small photo in one color."""
    file = BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()


class RecordedBatch:
    """Stands for AWS Batch: keeps what is submitted, and tells of each job the status that a test gave it.

    submitted: the requests, in their order; the first is `job-1`
    status: by job id; what is not in it AWS Batch has forgotten
    """

    def __init__(self) -> None:
        self.submitted: list[dict[str, Any]] = []
        self.status: dict[str, str] = {}

    def submit_job(self, **request: Any) -> dict[str, str]:
        """As the client's."""
        self.submitted.append(request)
        job = f"job-{len(self.submitted)}"
        self.status[job] = "SUBMITTED"
        return {"jobId": job}

    def describe_jobs(self, *, jobs: list[str]) -> dict[str, list[dict[str, str]]]:
        """As the client's."""
        return {"jobs": [{"jobId": job, "status": self.status[job]} for job in jobs if job in self.status]}


@dataclass
class MockedAws:
    """What the photo service keeps, in memory."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"

    def put(self, key: str, body: bytes) -> str:
        """Put an original. Returns its ETag without quotes."""
        return self.s3.put_object(Bucket=ORIGINALS, Key=key, Body=body)["ETag"].strip('"')

    def thumbnails(self) -> dict[str, bytes]:
        """All objects of the thumbnails bucket, by key."""
        listed = self.s3.list_objects_v2(Bucket=THUMBNAILS).get("Contents", [])
        return {
            entry["Key"]: self.s3.get_object(Bucket=THUMBNAILS, Key=entry["Key"])["Body"].read() for entry in listed
        }

    def items(self) -> dict[str, dict[str, Any]]:
        """All items of the catalogue, by key of the original."""
        deserialize = TypeDeserializer().deserialize
        scanned = self.dynamodb.scan(TableName=CATALOGUE, ConsistentRead=True)["Items"]
        items = [{name: deserialize(value) for name, value in item.items()} for item in scanned]
        return {item["key"]: item for item in items}

    def check_consistent(self) -> None:
        """Whatever happened: the thumbnails bucket holds just what the catalogue names, reports aside."""
        items = self.items()
        named = {path for item in items.values() for path in item.get("thumbnails", {}).values()}
        assert {key for key in self.thumbnails() if not key.startswith("reports/")} == named
        assert all(item["id"] == photo_id(key) for key, item in items.items())
