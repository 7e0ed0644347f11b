"""Container image builds with AWS CodeBuild."""

import re
import time
from typing import Any

from botocore.exceptions import ClientError

# How long to retry an error of StartBuild, in seconds.
_RETRIED_ERRORS = {
    # IAM is eventually consistent: a new role may not have its permissions yet.
    "AccessDeniedException": 60,
    # "Cannot have more than 1 builds in queue for the account": the build that just ended counts for a while, and in
    # the first hours of an account the limit can be 0 (aws-cdk 17744, landing-zone-accelerator 1013).
    "AccountLimitExceededException": 180,
}
_PAUSE_SECONDS = 5

_QUOTA_REMEDY = (
    "New accounts can have a lower limit than Service Quotas shows. Wait some hours and deploy again, or open a case "
    "of the type 'Account and billing' with AWS Support (free of charge), and ask for concurrent CodeBuild builds of "
    "the environment ARM/Small in this account and Region."
)

# Enough for the command that failed and the end of its output. CloudFormation rejects a response of more than 4 KB, in
# which a character that is not ASCII takes 6 bytes.
_LOG_LINES = 15
_LOG_CHARACTERS = 1_000
_NOT_PRINTABLE = re.compile(r"[^\n -~]")


class BuildError(RuntimeError):
    """The build did not produce an image. The message contains its status, its errors, and the end of its log."""


class ImageBuilds:
    """Builds container images with clients of CodeBuild, ECR, and CloudWatch Logs."""

    def __init__(self, codebuild: Any, ecr: Any, logs: Any) -> None:
        self._codebuild = codebuild
        self._ecr = ecr
        self._logs = logs

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
            time.sleep(_PAUSE_SECONDS)
        if build["buildStatus"] != "SUCCEEDED":
            raise BuildError(
                f"Build {build['id']} ended with status {build['buildStatus']}{_errors(build)}. "
                f"The log ends with: {self._end_of_log(build)}\n"
                "To keep the whole log, deploy with `cdk deploy --no-rollback`."
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
        waited = 0
        while True:
            try:
                build_id: str = self._codebuild.start_build(projectName=project)["build"]["id"]
                return build_id
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if waited >= _RETRIED_ERRORS.get(code, 0):
                    if code == "AccountLimitExceededException":
                        raise BuildError(f"{error}. {_QUOTA_REMEDY}") from error
                    raise
                time.sleep(_PAUSE_SECONDS)
                waited += _PAUSE_SECONDS

    def _end_of_log(self, build: dict[str, Any]) -> str:
        log = build.get("logs", {})
        if "streamName" not in log:
            return "(the build has no log)"
        try:
            events = self._logs.get_log_events(
                logGroupName=log["groupName"], logStreamName=log["streamName"], limit=_LOG_LINES
            )["events"]
        except ClientError as error:
            return f"(not available: {error})"
        text = "\n".join(event["message"].rstrip() for event in events)
        return _NOT_PRINTABLE.sub("", text)[-_LOG_CHARACTERS:]


def _errors(build: dict[str, Any]) -> str:
    """Return the error messages of the phases of a build."""
    messages = [
        context["message"]
        for phase in build.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message")
    ]
    return "".join(f": {message}" for message in messages)
