"""Lambda function `image_build`: CloudFormation's custom resource `Custom::ContainerImage`.

It waits for the build, a minute or two, because that way CloudFormation hears of every end a build can come to; a build
that reports for itself says nothing when it never starts. CloudFormation would then wait for an hour.
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

_builds = ImageBuilds(boto3.client("codebuild", config=_CONFIG), boto3.client("ecr", config=_CONFIG))


def handler(event: dict[str, Any], context: object) -> None:
    """Do what CloudFormation asks, and answer it in any case."""
    properties = event["ResourceProperties"]
    tag = properties["ImageTag"]
    status, reason = "SUCCESS", ""
    try:
        # On delete nothing: the repository is emptied with its stack, and after an update it may be needed again.
        if event["RequestType"] != "Delete":
            _builds.ensure(project=properties["ProjectName"], repository=properties["RepositoryName"], tag=tag)
    except Exception as error:
        log.exception("No image %s", tag)
        status, reason = "FAILED", str(error)
    _answer(
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


def _answer(url: str, answer: dict[str, Any]) -> None:
    # The signature of the URL is for an empty content type.
    request = urllib.request.Request(url, data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=10):
        log.info("%s: %s", answer["PhysicalResourceId"], answer["Status"])
