"""The work of the function that has images built, and of CodeBuild, which builds and pushes them."""

import json
from uuid import uuid4

from tests.permissions.trial import PREFIX, Failed, Trial, probe


@probe()
def gallery_image(trial: Trial) -> None:
    """The image of the gallery is built and pushed."""
    _build(trial, "Gallery")


@probe()
def album_image(trial: Trial) -> None:
    """The image of the album is built and pushed."""
    _build(trial, "Album")


def _build(trial: Trial, which: str) -> None:
    """Ask for an image that is not there any more, as CloudFormation does, and read the answer."""
    bench, names = trial.bench, trial.bench.names
    repository, _, tag = names.of(f"Registry/{which}Image/Built/Default").rpartition(":")
    ecr = bench.sandbox.client("ecr")
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    answer = f"{PREFIX}{uuid4().hex}"
    where = bench.s3.generate_presigned_url("put_object", Params={"Bucket": bench.thumbnails, "Key": answer})
    event = {
        "RequestType": "Create",
        "ResponseURL": where,
        "StackId": "privileges",
        "RequestId": answer,
        "LogicalResourceId": which,
        "ResourceProperties": {
            "ProjectName": names.of(f"Registry/{which}Image/Project"),
            "RepositoryName": repository,
            "ImageTag": tag,
        },
    }
    bench.start(names.of("Registry/Builder"), event)
    # It tries again for a while what was denied, as a role may be new.
    trial.afterwards.callback(bench.wait, lambda: bench.there(answer))
    trial.until("CloudFormation is answered", lambda: bench.there(answer))
    said = json.load(bench.s3.get_object(Bucket=bench.thumbnails, Key=answer)["Body"])
    if said["Status"] != "SUCCESS":
        raise Failed(said["Reason"])
