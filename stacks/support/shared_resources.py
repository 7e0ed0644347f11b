"""Groups of resources that one stack creates and other stacks use."""

from dataclasses import dataclass

from aws_cdk import aws_batch as batch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3


@dataclass(frozen=True)
class PhotoStorage:
    """The two buckets and the table of the photo service.

    Attributes:
        originals: Photos as they were uploaded.
        thumbnails: Thumbnails, albums, and sweep reports.
        catalogue: One item for each photo.
    """

    originals: s3.IBucket
    thumbnails: s3.IBucket
    catalogue: dynamodb.ITable

    def environment_variables(self) -> dict[str, str]:
        """Return these names as the environment variables that the functions read."""
        return {
            "ORIGINALS_BUCKET": self.originals.bucket_name,
            "THUMBNAILS_BUCKET": self.thumbnails.bucket_name,
            "CATALOGUE_TABLE": self.catalogue.table_name,
        }


@dataclass(frozen=True)
class GalleryUrls:
    """The URLs that the gallery page requests. Its Content Security Policy allows no others.

    Attributes:
        api: The REST API, with a trailing slash.
        originals: The bucket of originals, which receives uploads.
        thumbnails: The bucket of thumbnails.
    """

    api: str
    originals: str
    thumbnails: str

    @classmethod
    def of(cls, api: str, storage: PhotoStorage) -> "GalleryUrls":
        """Return the URL of the API and those of the buckets in presigned URLs (`photos/presigned_urls.py`)."""
        originals, thumbnails = (
            f"https://{bucket.bucket_regional_domain_name}" for bucket in (storage.originals, storage.thumbnails)
        )
        return cls(api, originals, thumbnails)

    def environment_variables(self) -> dict[str, str]:
        """Return the URLs as the environment variables that the gallery reads."""
        return {"API_URL": self.api, "ORIGINALS_URL": self.originals, "THUMBNAILS_URL": self.thumbnails}


@dataclass(frozen=True)
class AlbumJobs:
    """The job queues and job definitions that make an album.

    The job definitions carry no revision number, so a submitted job uses the latest revision.

    Attributes:
        page_queue: Queue for the array job that renders the pages, on EC2.
        page_job: Job definition of the array job.
        bind_queue: Queue for the job that depends on the array job and writes the PDF, on Fargate.
        bind_job: Job definition of that job.
    """

    page_queue: batch.IJobQueue
    page_job: batch.IJobDefinition
    bind_queue: batch.IJobQueue
    bind_job: batch.IJobDefinition
