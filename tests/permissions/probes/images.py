"""Probes of the function that starts image builds, and of CodeBuild, which builds and pushes the images."""

from functools import partial
from typing import Any
from uuid import uuid4

from tests.permissions.probe import PREFIX, Probe, ProbeFailed, Trial


def _fail(trial: Trial, image: str) -> None:
    """Build a damaged source, and check that the response to CloudFormation contains the end of the log."""
    project = trial.context.resources.physical_id(f"Registry/{image}Image/Project")
    (found,) = trial.context.sandbox.client("codebuild").batch_get_projects(names=[project])["projects"]
    bucket, _, key = found["source"]["location"].partition("/")
    s3 = trial.context.s3
    source = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    trial.cleanup.callback(s3.put_object, Bucket=bucket, Key=key, Body=source)
    s3.put_object(Bucket=bucket, Key=key, Body=b"damaged")
    result = _request(trial, image)
    if result["Status"] != "FAILED" or "BadZipFile" not in result["Reason"].partition("The log ends with: ")[2]:
        raise ProbeFailed(result["Reason"])


def _build(trial: Trial, image: str) -> None:
    """Build an image, and check the response to CloudFormation."""
    result = _request(trial, image)
    if result["Status"] != "SUCCESS":
        raise ProbeFailed(result["Reason"])


def _request(trial: Trial, image: str) -> Any:
    """Delete an image, request it as CloudFormation does, and return the response to CloudFormation."""
    context, resources = trial.context, trial.context.resources
    repository, _, tag = resources.physical_id(f"Registry/{image}Image/Built/Default").rpartition(":")
    context.sandbox.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    response = f"{PREFIX}{uuid4().hex}"
    url = context.s3.generate_presigned_url("put_object", Params={"Bucket": context.thumbnails, "Key": response})
    event = {
        "RequestType": "Create",
        "ResponseURL": url,
        "StackId": "permissions",
        "RequestId": response,
        "LogicalResourceId": image,
        "ResourceProperties": {
            "ProjectName": resources.physical_id(f"Registry/{image}Image/Project"),
            "RepositoryName": repository,
            "ImageTag": tag,
        },
    }
    context.invoke_async(resources.physical_id("Registry/Builder"), event)
    # The function retries a denied call for a while, because the permissions of a new role take time to propagate.
    trial.cleanup.callback(context.wait_until, lambda: context.object_exists(response))
    trial.wait_until("response to CloudFormation", lambda: context.object_exists(response))
    return context.read_json(response)


_IMAGES = ("Gallery", "Album", "Thumbnailer")

builds_gallery_image, builds_album_image, builds_thumbnailer_image = (
    Probe(f"Build and push the {image.lower()} image", partial(_build, image=image)) for image in _IMAGES
)
explains_failed_gallery_build, explains_failed_album_build, explains_failed_thumbnailer_build = (
    Probe(f"Report why the {image.lower()} image was not built", partial(_fail, image=image)) for image in _IMAGES
)
