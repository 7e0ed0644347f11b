"""Container image builds with AWS CodeBuild."""

import time
from typing import Any

from botocore.exceptions import ClientError

# IAM is eventually consistent: a new role may not have its permissions yet.
_START_ATTEMPTS = 12
_START_PAUSE_SECONDS = 5

_POLL_SECONDS = 5


class BuildError(RuntimeError):
    """The build did not produce an image. The message contains its status, its errors, and the location of its log."""


class ImageBuilds:
    """Builds container images with clients of CodeBuild and ECR."""

    def __init__(self, codebuild: Any, ecr: Any) -> None:
        self._codebuild = codebuild
        self._ecr = ecr

    def ensure(self, *, project: str, repository: str, tag: str) -> None:
        """Build an image and wait for it, unless the repository already contains it.

        Args:
            project: Name of the CodeBuild project.
            repository: Name of the ECR repository.
            tag: Tag of the image.

        Raises:
            BuildError: The build did not produce the image.
            botocore.exceptions.ClientError: AWS denied or failed a call.
        """
        # Tags are immutable and derived from the source, so an existing image is up to date.
        if self._exists(repository, tag):
            return
        build_id = self._start(project)
        while (build := self._build(build_id))["buildStatus"] == "IN_PROGRESS":
            time.sleep(_POLL_SECONDS)
        if build["buildStatus"] != "SUCCEEDED":
            log = build.get("logs", {})
            raise BuildError(
                f"Build {build['id']} ended with status {build['buildStatus']}{_errors(build)}. "
                f"Log group {log.get('groupName')}, log stream {log.get('streamName')}. "
                "A rollback deletes the log; deploy with `cdk deploy --no-rollback` to keep it."
            )
        if not self._exists(repository, tag):
            raise BuildError(f"Build {build['id']} succeeded, but {repository} has no image {tag}")

    def _exists(self, repository: str, tag: str) -> bool:
        response = self._ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        return bool(response["images"])

    def _build(self, build_id: str) -> dict[str, Any]:
        build: dict[str, Any]
        [build] = self._codebuild.batch_get_builds(ids=[build_id])["builds"]
        return build

    def _start(self, project: str) -> str:
        for attempts_left in reversed(range(_START_ATTEMPTS)):
            try:
                build_id: str = self._codebuild.start_build(projectName=project)["build"]["id"]
                return build_id
            except ClientError as error:
                if not attempts_left or error.response["Error"]["Code"] != "AccessDeniedException":
                    raise
                time.sleep(_START_PAUSE_SECONDS)
        raise AssertionError("unreachable")


def _errors(build: dict[str, Any]) -> str:
    """Return the error messages of the phases of a build."""
    messages = [
        context["message"]
        for phase in build.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message")
    ]
    return "".join(f": {message}" for message in messages)
