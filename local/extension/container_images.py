"""Container images: a CodeBuild build unpacks the source, and the image is that folder.

The emulator itself builds images and runs containers only with Docker.

Emulated: the custom resource with its function and role; reading the source from S3 and pushing to the repository with
the role of the build; tags; the build log; the permissions to pull an image. Not emulated: the build specification and
image layers. Only ENV, ENTRYPOINT, and CMD of the last stage of the Dockerfile count. Therefore, the files that it
copies into WORKDIR must have the same paths in the source folder, and programs must start by relative paths.
"""

import hashlib
import io
import json
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild, ecr

from local.extension.cloudformation import Properties, wrap
from local.extension.dockerfile import Dockerfile, read_dockerfile
from local.extension.iam_roles import client_for_role, is_service_allowed, require_permission

_LAMBDA = "lambda.amazonaws.com"


@dataclass(frozen=True)
class Image:
    """A container image.

    Attributes:
        folder: The unpacked source, which is the working directory of the program.
        dockerfile: How the program starts.
    """

    folder: Path
    dockerfile: Dockerfile

    def start_command(
        self, entrypoint: Sequence[str] | None = None, arguments: Sequence[str] | None = None
    ) -> list[str]:
        """Return the command that starts the program.

        Args:
            entrypoint: Replaces the entrypoint of the image.
            arguments: Replace the command of the image.
        """
        start = self.dockerfile.entrypoint if entrypoint is None else entrypoint
        command = [*start, *(self.dockerfile.command if arguments is None else arguments)]
        return [sys.executable, *command[1:]] if command[:1] in (["python"], ["python3"]) else command


class ImageNotFound(LookupError):
    """No build has pushed this image."""


# Images by `repository:tag` and by `repository@digest`, and digests by `repository:tag`.
_images: dict[str, Image] = {}
_digests: dict[str, str] = {}

# Log groups by CodeBuild project, which the emulator does not keep.
_log_groups: dict[str, str] = {}


def find(uri: str) -> Image:
    """Return the image with this URI. Raises ImageNotFound."""
    try:
        return _images[uri.partition("/")[2]]
    except KeyError:
        raise ImageNotFound(f"{uri}: no build has pushed this image") from None


def digest(uri: str) -> str:
    """Return the digest of a tagged image. Raises ImageNotFound."""
    find(uri)
    return _digests[uri.partition("/")[2]]


def pull(uri: str, role_arn: str | None) -> Image:
    """Pull an image with the permissions of a role. Raises ImageNotFound and PermissionError."""
    repository = _repository(uri)
    require_permission(role_arn, "ecr:GetAuthorizationToken", "*")
    for action in ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        require_permission(role_arn, action, repository)
    return find(uri)


def pull_for_lambda(uri: str, function_arn: str) -> Image:
    """Pull an image as Lambda for a function. Raises ImageNotFound and PermissionError."""
    repository = _repository(uri)
    policy, _owner = ecr.repository_policy_for_arn(repository) or ("", None)
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        if not is_service_allowed(policy, _LAMBDA, action, repository, function_arn):
            raise PermissionError(
                f"Lambda does not have permission to access the ECR image. The policy of {repository} does not allow "
                f"{_LAMBDA} {action} for {function_arn}"
            )
    return find(uri)


def _repository(uri: str) -> str:
    """Return the ARN of the repository of an image."""
    name = re.split("[:@]", uri.partition("/")[2])[0]
    return f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{name}"


def extend() -> None:
    """Run builds when they start."""
    start_build = codebuild._start_build

    def start_and_finish_build(data: dict[str, Any]) -> Any:
        status, headers, body = start_build(data)
        if status == 200:
            build = codebuild._builds[json.loads(body)["build"]["id"]]
            _run(build, codebuild._projects[build["projectName"]])
            body = json.dumps({"build": build}).encode()
        return status, headers, body

    wrap("AWS::CodeBuild::Project", after=_keep_log_group)
    codebuild._start_build = start_and_finish_build


def _keep_log_group(project: str, props: Properties) -> None:
    _log_groups[project] = props["LogsConfig"]["CloudWatchLogs"]["GroupName"]


def _run(build: dict[str, Any], project: dict[str, Any]) -> None:
    """Build and push an image, as the role of the project. Record a failure in the build."""
    build["logs"]["groupName"] = _log_groups[project["name"]]
    session = build["id"].partition(":")[2]
    logs = client_for_role("logs", project["serviceRole"], session)
    stream = {"logGroupName": build["logs"]["groupName"], "logStreamName": build["logs"]["streamName"]}

    def log(message: str) -> None:
        logs.put_log_events(**stream, logEvents=[{"timestamp": int(time.time() * 1000), "message": message}])

    try:
        logs.create_log_stream(**stream)
        log(f"pushed {_build_and_push(project, session)}")
    except Exception as error:
        build["buildStatus"] = "FAILED"
        message = f"{type(error).__name__}: {error}"
        build["phases"] = [{"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": message}]}]
        with suppress(ClientError):  # writing the log can be what failed
            log(message)


def _build_and_push(project: dict[str, Any], session: str) -> str:
    role = project["serviceRole"]
    bucket, _, key = project["source"]["location"].partition("/")
    source = client_for_role("s3", role, session).get_object(Bucket=bucket, Key=key)["Body"].read()
    folder = Path(tempfile.mkdtemp(prefix="image-"))  # inside the sandbox's temporary folder, which is removed
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        archive.extractall(folder)
    image = Image(folder, read_dockerfile(folder))

    [uri] = [entry["value"] for entry in project["environment"]["environmentVariables"] if entry["name"] == "IMAGE"]
    repository, _, tag = uri.partition("/")[2].rpartition(":")
    registry = client_for_role("ecr", role, session)
    registry.get_authorization_token()
    layer = f"sha256:{hashlib.sha256(source).hexdigest()}"
    # The calls of `docker push`, of which the emulator keeps only the image.
    registry.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    registry.batch_check_layer_availability(repositoryName=repository, layerDigests=[layer])
    upload_id = registry.initiate_layer_upload(repositoryName=repository)["uploadId"]
    upload = {"repositoryName": repository, "uploadId": upload_id}
    registry.upload_layer_part(**upload, partFirstByte=0, partLastByte=0, layerPartBlob=b"-")
    registry.complete_layer_upload(**upload, layerDigests=[layer])
    pushed = registry.put_image(repositoryName=repository, imageManifest=json.dumps({"source": layer}), imageTag=tag)
    digest: str = pushed["image"]["imageId"]["imageDigest"]
    _digests[f"{repository}:{tag}"] = digest
    _images[f"{repository}:{tag}"] = _images[f"{repository}@{digest}"] = image
    return f"{uri} {digest}"
