"""Container images by CodeBuild: one build, from its start to its end."""

import time
from typing import Any

from botocore.exceptions import ClientError

# A role that was made a moment ago is not known everywhere at once.
_START_TRIES = 12
_START_PAUSE_SECONDS = 5

_POLL_SECONDS = 5


class BuildError(RuntimeError):
    """There is no image. The message says how the build ended, why, and where its log is."""


class ImageBuilds:
    """Clients of CodeBuild and ECR, of which every method may raise BuildError or botocore's errors."""

    def __init__(self, codebuild: Any, ecr: Any) -> None:
        self._codebuild = codebuild
        self._ecr = ecr

    def ensure(self, *, project: str, repository: str, tag: str) -> None:
        """Return when the repository has the tag; run the project's build if it has not."""
        # Tags are immutable and are made from the source: what is there is right, and would not be overwritten.
        if self._has(repository, tag):
            return
        build_id = self._start(project)
        while (build := self._build(build_id))["buildStatus"] == "IN_PROGRESS":
            time.sleep(_POLL_SECONDS)
        if build["buildStatus"] != "SUCCEEDED":
            log = build.get("logs", {})
            raise BuildError(
                f"Build {build['id']} ended as {build['buildStatus']}{_why(build)}. "
                f"Its log: group {log.get('groupName')}, stream {log.get('streamName')}. "
                "A rollback takes it away; `cdk deploy --no-rollback` keeps it."
            )
        if not self._has(repository, tag):
            raise BuildError(f"Build {build['id']} succeeded, but {repository} has no image {tag}")

    def _has(self, repository: str, tag: str) -> bool:
        answer = self._ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])
        return bool(answer["images"])

    def _build(self, build_id: str) -> dict[str, Any]:
        build: dict[str, Any]
        [build] = self._codebuild.batch_get_builds(ids=[build_id])["builds"]
        return build

    def _start(self, project: str) -> str:
        for tries_left in reversed(range(_START_TRIES)):
            try:
                build_id: str = self._codebuild.start_build(projectName=project)["build"]["id"]
                return build_id
            except ClientError as error:
                if not tries_left or error.response["Error"]["Code"] != "AccessDeniedException":
                    raise
                time.sleep(_START_PAUSE_SECONDS)
        raise AssertionError("unreachable")


def _why(build: dict[str, Any]) -> str:
    """What the phases of a build say of themselves."""
    messages = [
        context["message"]
        for phase in build.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message")
    ]
    return "".join(f": {message}" for message in messages)
