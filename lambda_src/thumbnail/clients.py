"""AWS clients of the thumbnail workload, and the thumbnailer that uses them.

Environment variables: ORIGINALS_BUCKET, THUMBNAILS_BUCKET, CATALOGUE_TABLE.
"""

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

from photos.catalogue import Catalogue
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Thumbnailer


@cache
def _session() -> Session:
    return get_session()


def create_client(service: str, *, read_timeout: float = 10, attempts: int = 3) -> Any:
    """Create a client without boto3, which adds the management of transfers, and 8 % to a cold start.

    Args:
        service: Name of the service in botocore.
        read_timeout: Seconds until an attempt fails that receives nothing.
        attempts: Maximum number of attempts. Timeouts are short and attempts few, because the queue retries later.
    """
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    return _session().create_client(
        service, config=Config(connect_timeout=3, read_timeout=read_timeout, retries=retries)
    )


def create_thumbnailer(make_thumbnails: Callable[[bytes, Sequence[int]], dict[int, bytes]]) -> Thumbnailer:
    """Create the thumbnailer for the buckets and the table that the environment names."""
    s3 = create_client("s3")
    return Thumbnailer(
        Originals(s3, os.environ["ORIGINALS_BUCKET"]),
        Thumbnails(s3, os.environ["THUMBNAILS_BUCKET"]),
        Catalogue(create_client("dynamodb"), os.environ["CATALOGUE_TABLE"]),
        make_thumbnails,
    )
