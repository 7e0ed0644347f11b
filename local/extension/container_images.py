"""Container images without Docker: a build unpacks its source, and an image is that folder with its Dockerfile read.

Real: the custom resource, its function and its role; the source, read from S3 with the rights of the build's role;
the repository, its tags, and the push with those rights; the build's log; who fetches an image needs the rights to. On
paper only: the build spec and the image's
layers. Of the Dockerfile only ENV, ENTRYPOINT and CMD of the last stage count, so what it copies into WORKDIR
must look like the source folder, and programs are started by relative paths.
"""

import hashlib
import io
import json
import re
import tempfile
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension import iam_roles
from local.extension.dockerfile import read_dockerfile


@dataclass(frozen=True)
class Image:
    """What a container starts from.

    folder: the unpacked source, where the program is started
    """

    folder: Path
    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]


class ImageNotFound(LookupError):
    """No build has made this image."""


# By repository and tag, and by repository and digest, as image URIs end.
_images: dict[str, Image] = {}

# By repository and tag.
_digests: dict[str, str] = {}

# By CodeBuild project; the emulator does not keep them.
_log_groups: dict[str, str] = {}


def find(uri: str) -> Image:
    """The image that a task or job definition names. Raises ImageNotFound."""
    try:
        return _images[uri.partition("/")[2]]
    except KeyError:
        raise ImageNotFound(f"{uri}: no such image was built here") from None


def digest(uri: str) -> str:
    """What a tag stands for in the repository. Raises ImageNotFound."""
    find(uri)
    return _digests[uri.partition("/")[2]]


def pull(uri: str, role_arn: str | None) -> Image:
    """The image, fetched as this role does it. Raises ImageNotFound and PermissionError."""
    name = re.split("[:@]", uri.partition("/")[2])[0]
    repository = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{name}"
    iam_roles.require_permission(role_arn, "ecr:GetAuthorizationToken", "*")
    for action in ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        iam_roles.require_permission(role_arn, action, repository)
    return find(uri)


def extend() -> None:
    """Make builds of CodeBuild produce images."""
    start_build = codebuild._start_build
    project_handler = _RESOURCE_HANDLERS["AWS::CodeBuild::Project"]
    create, update = project_handler["create"], project_handler["update"]

    def create_with_logs(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        result = create(logical_id, props, stack_name)
        _log_groups[result[0]] = props["LogsConfig"]["CloudWatchLogs"]["GroupName"]
        return result

    def update_with_logs(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        result = update(name, old, new, stack_name)
        _log_groups[result[0]] = new["LogsConfig"]["CloudWatchLogs"]["GroupName"]
        return result

    def start_and_finish_build(data: dict[str, Any]) -> Any:
        status, headers, body = start_build(data)
        if status == 200:
            build = codebuild._builds[json.loads(body)["build"]["id"]]
            _run(build, codebuild._projects[build["projectName"]])
            body = json.dumps({"build": build}).encode()
        return status, headers, body

    project_handler.update(create=create_with_logs, update=update_with_logs)
    codebuild._start_build = start_and_finish_build


def _run(build: dict[str, Any], project: dict[str, Any]) -> None:
    """Do what the build spec of these stacks does, as the project's role."""
    build["logs"]["groupName"] = _log_groups[project["name"]]
    session = build["id"].partition(":")[2]
    logs = iam_roles.client_for_role("logs", project["serviceRole"], session)
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
        with suppress(ClientError):  # what failed may be the log
            log(message)


def _build_and_push(project: dict[str, Any], session: str) -> str:
    role = project["serviceRole"]
    bucket, _, key = project["source"]["location"].partition("/")
    source = iam_roles.client_for_role("s3", role, session).get_object(Bucket=bucket, Key=key)["Body"].read()
    folder = Path(tempfile.mkdtemp(prefix="image-"))  # in the sandbox's own temporary folder, and gone with it
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        archive.extractall(folder)
    dockerfile = read_dockerfile(folder)  # what cannot be built is not pushed

    [uri] = [entry["value"] for entry in project["environment"]["environmentVariables"] if entry["name"] == "IMAGE"]
    repository, _, tag = uri.partition("/")[2].rpartition(":")
    ecr = iam_roles.client_for_role("ecr", role, session)
    ecr.get_authorization_token()
    layer = f"sha256:{hashlib.sha256(source).hexdigest()}"
    # As `docker push` does, of which the emulator keeps the image only.
    ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
    ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[layer])
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=0, layerPartBlob=b"-"
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[layer])
    manifest = json.dumps({"source": layer})
    pushed = ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
    digest = pushed["image"]["imageId"]["imageDigest"]
    _digests[f"{repository}:{tag}"] = digest
    _images[f"{repository}:{tag}"] = _images[f"{repository}@{digest}"] = Image(
        folder, dockerfile.environment, dockerfile.entrypoint, dockerfile.command
    )
    return f"{uri} {digest}"
