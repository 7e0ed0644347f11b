"""Probes of the function that starts image builds, and of CodeBuild, which builds and pushes the images."""

from uuid import uuid4

from tests.permissions.probe import PREFIX, ProbeFailed, Trial, probe


@probe
def builds_gallery_image(trial: Trial) -> None:
    """Build and push the gallery image."""
    _build(trial, "Gallery")


@probe
def builds_album_image(trial: Trial) -> None:
    """Build and push the album image."""
    _build(trial, "Album")


def _build(trial: Trial, image: str) -> None:
    """Delete an image, request it as CloudFormation does, and check the response to CloudFormation."""
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
    result = context.read_json(response)
    if result["Status"] != "SUCCESS":
        raise ProbeFailed(result["Reason"])
