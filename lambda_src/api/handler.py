"""The Lambda function `api`: runs the operation that an API Gateway event requests.

`contract.py` defines the routes, and `photos/` implements them.
"""

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from api.contract import ErrorCode, error_body
from api.operations import Operations
from api.requests import RequestError, parse_request
from photos.album_jobs import AlbumJobs, JobTarget
from photos.album_requests import AlbumRequests
from photos.catalogue import Catalogue
from photos.library import Library
from photos.listing import Listing
from photos.presigned_urls import PRESIGNING, PresignedUrls
from photos.storage import Originals

# Lambda configures the root logger. This line is for other environments.
logging.basicConfig()
log = logging.getLogger("api")
log.setLevel(logging.INFO)

# Short timeouts, because a client waits, and API Gateway times out after 29 s.
_CONFIG = Config(connect_timeout=1, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3})

# CORS allows any origin. `stacks/constructs/contract_api.py` explains why.
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
    "X-Content-Type-Options": "nosniff",
}


def _operations() -> Operations:
    table, thumbnails = os.environ["CATALOGUE_TABLE"], os.environ["THUMBNAILS_BUCKET"]
    dynamodb = boto3.client("dynamodb", config=_CONFIG)
    s3 = boto3.client("s3", config=_CONFIG.merge(PRESIGNING))
    jobs = AlbumJobs(
        boto3.client("batch", config=_CONFIG),
        s3,
        thumbnails,
        page=JobTarget(os.environ["PAGE_JOB_QUEUE"], os.environ["PAGE_JOB_DEFINITION"]),
        bind=JobTarget(os.environ["BIND_JOB_QUEUE"], os.environ["BIND_JOB_DEFINITION"]),
    )
    originals = os.environ["ORIGINALS_BUCKET"]
    listing = Listing(dynamodb, table)
    return Operations(
        Library(Catalogue(dynamodb, table), listing, Originals(s3, originals)),
        AlbumRequests(listing, jobs, s3, thumbnails),
        PresignedUrls(s3, originals=originals, thumbnails=thumbnails),
    )


_run = _operations().run


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Respond to an event of a REST API with Lambda proxy integration. Every exception becomes an error response."""
    try:
        request = parse_request(event)
        return _response(request.route.status, _run(request))
    except RequestError as error:
        return _error(error.code, error.message)
    except Exception:
        log.exception("%s %s failed", event.get("httpMethod"), event.get("path"))
        return _error(ErrorCode.INTERNAL_ERROR, "Internal error. Try again.")


def _error(code: ErrorCode, message: str) -> dict[str, Any]:
    return _response(code.status, error_body(code, message))


def _response(status: int, body: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"statusCode": status, "headers": _HEADERS, "body": "" if body is None else json.dumps(body)}
