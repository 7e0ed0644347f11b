"""The Lambda function `image_build`: the CloudFormation custom resource `Custom::ContainerImage`.

The function waits for the build, which takes one or two minutes, and reports every outcome to CloudFormation. If the
build itself reported its result, CloudFormation would wait for an hour for a build that never started.
"""

import json
import logging
import urllib.request
from typing import Any

import boto3
from botocore.config import Config

from image_build.builds import ImageBuilds

logging.basicConfig()
log = logging.getLogger("image_build")
log.setLevel(logging.INFO)

_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})

_builds = ImageBuilds(
    boto3.client("codebuild", config=_CONFIG), boto3.client("ecr", config=_CONFIG), boto3.client("logs", config=_CONFIG)
)


def handler(event: dict[str, Any], context: object) -> None:
    """Process a CloudFormation request, and always send a response."""
    properties = event["ResourceProperties"]
    tag = properties["ImageTag"]
    status, reason = "SUCCESS", ""
    try:
        # Keep the image on Delete: a rollback may need it, and the repository is emptied when its stack is deleted.
        if event["RequestType"] != "Delete":
            _builds.ensure(project=properties["ProjectName"], repository=properties["RepositoryName"], tag=tag)
    except Exception as error:
        log.exception("Image %s was not built", tag)
        status, reason = "FAILED", str(error)
    _respond(
        event["ResponseURL"],
        {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": f"{properties['RepositoryName']}:{tag}",
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": {"RepositoryName": properties["RepositoryName"]},
        },
    )


def _respond(url: str, response: dict[str, Any]) -> None:
    # The presigned URL is valid only for an empty content type.
    body = json.dumps(response).encode()
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=10):
        log.info("%s: %s", response["PhysicalResourceId"], response["Status"])
