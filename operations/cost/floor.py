"""The floor: the least that a photo can cost under the contract of the service.

The contract makes these calls necessary for each photo:

- S3: 1 PUT of the original, 1 GET of it, and 2 PUT of thumbnails, which clients read from the bucket.
- SQS: 1 message sent by S3; and 1 receive and 1 delete for each batch, if every batch is full.
- DynamoDB: for each change of state, 1 write unit of the table and 1 of the index that lists photos. An upload by the
  API changes the state twice (registered, ready), an upload to the bucket once.
- Compute: the CPU time of decoding and encoding on the compute of the deployment, without any wait; and 1 request of a
  function for each full batch.
- By the API: 1 request to API Gateway, and 1 to its function.

    floor = 3 PUT + 1 GET + (1 + 2 / batch) SQS + 2 × changes write units + CPU time + 1 / batch requests
            + (by API) 1 API request + 1 function request

It leaves out what a photo costs later or elsewhere, in every design alike: storage, views, and idle resources. It has
no free tier, because the free tier of an account is the same for every design.
"""

from collections.abc import Iterable, Iterator

from operations.cost.line import Line


def floor_lines(photos: float, *, by_api: bool, batch: float, compute: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines of the floor.

    Args:
        photos: Number of photos.
        by_api: Whether clients upload by the API.
        batch: Messages of a full batch.
        compute: Lines of the CPU time of all photos.
    """
    millions, changes = photos / 1e6, 2 if by_api else 1
    yield Line("S3", "1 upload, 2 thumbnails", "s3-put", 3 * millions)
    yield Line("S3", "1 download", "s3-get", millions)
    yield Line("SQS", "send; receive and delete in full batches", "sqs-requests", (1 + 2 / batch) * millions)
    yield Line("DynamoDB", "table and one index per change of state", "dynamodb-write-units", 2 * changes * millions)
    yield from compute
    if by_api:
        yield Line("API Gateway", "1 request", "api-requests", millions)
        yield Line("Lambda", "1 request of the API", "lambda-requests", millions)
