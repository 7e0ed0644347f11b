"""Where photos are, as those who work with them know it."""

from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3


@dataclass(frozen=True)
class PhotoStorage:
    """Two buckets and a table.

    originals: photos as they came
    thumbnails: albums and reports are in it too
    catalogue: one item for each photo
    """

    originals: s3.IBucket
    thumbnails: s3.IBucket
    catalogue: dynamodb.ITable
