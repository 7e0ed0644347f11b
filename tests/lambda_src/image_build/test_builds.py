"""An image build runs only if the image is missing, and every outcome other than an image is an error."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from image_build.builds import BuildError, ImageBuilds


class FakeAws:
    """CodeBuild and ECR with one project, whose build passes through the given states."""

    def __init__(
        self, *states: str, error: str = "AccessDeniedException", denials: int = 0, pushes: bool = True
    ) -> None:
        self._states: Iterator[str] = iter(states)
        self._error = error
        self._denials = denials
        self._pushes = pushes
        self.started = 0
        self.tags: set[str] = set()

    def start_build(self, projectName: str) -> dict[str, Any]:
        if self._denials:
            self._denials -= 1
            raise ClientError({"Error": {"Code": self._error, "Message": "not yet"}}, "StartBuild")
        self.started += 1
        return {"build": {"id": "p:1", "buildStatus": "IN_PROGRESS"}}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        assert ids == ["p:1"]
        state = next(self._states)
        if state == "SUCCEEDED" and self._pushes:
            self.tags.add("t")
        phases = [{"phaseType": "BUILD", "contexts": [{"statusCode": "", "message": ""}]}]
        if state != "SUCCEEDED":
            phases.append({"phaseType": "POST_BUILD", "contexts": [{"statusCode": "X", "message": "docker: exit 1"}]})
        build = {"id": "p:1", "buildStatus": state, "phases": [{"phaseType": "QUEUED"}, *phases]}
        return {"builds": [build | {"logs": {"groupName": "g", "streamName": "s"}}]}

    def get_log_events(self, logGroupName: str, logStreamName: str, limit: int) -> dict[str, Any]:
        assert (logGroupName, logStreamName) == ("g", "s")
        not_ascii = "\N{HEAVY CHECK MARK}\x1b" * 100
        return {"events": [{"message": f"{not_ascii}line {number}\n"} for number in range(1000)][-limit:]}

    def batch_get_image(self, repositoryName: str, imageIds: list[dict[str, str]]) -> dict[str, Any]:
        return {"images": [entry for entry in imageIds if entry["imageTag"] in self.tags]}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, in seconds, which do not take place."""
    seconds: list[float] = []
    monkeypatch.setattr("image_build.builds.time", Mock(sleep=seconds.append))
    return seconds


def ensure(aws: FakeAws) -> None:
    ImageBuilds(aws, aws, aws).ensure(project="p", repository="r", tag="t")


@pytest.mark.parametrize(
    ("error", "denials"),
    [("none", 0), ("AccessDeniedException", 3), ("AccountLimitExceededException", 30)],
    ids=["at once", "while IAM propagates the role", "while the build that just ended counts"],
)
def test_missing_image_is_built_once(pauses: list[float], error: str, denials: int) -> None:
    aws = FakeAws("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED", error=error, denials=denials)
    for _ in range(2):
        ensure(aws)
    assert aws.started == 1 and "t" in aws.tags
    assert len(pauses) == denials + 2


@pytest.mark.parametrize("status", ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"])
def test_failed_build_raises_error_with_status_cause_and_end_of_log(status: str) -> None:
    with pytest.raises(BuildError, match=rf"(?s)p:1 .* {status}: docker: exit 1\. .*line 998\nline 999\n") as error:
        ensure(FakeAws("IN_PROGRESS", status))
    assert len(json.dumps(str(error.value))) < 3000, "CloudFormation accepts 4 KB, including other fields"


def test_build_without_image_raises_error() -> None:
    with pytest.raises(BuildError, match="has no image t"):
        ensure(FakeAws("SUCCEEDED", pushes=False))


def test_account_without_builds_is_explained_after_minutes(pauses: list[float]) -> None:
    aws = FakeAws("SUCCEEDED", error="AccountLimitExceededException", denials=1000)
    with pytest.raises(BuildError, match=r"not yet.*AWS Support.*ARM"):
        ensure(aws)
    assert 120 <= sum(pauses) <= 240


def test_missing_permission_raises_error() -> None:
    with pytest.raises(ClientError, match="not yet"):
        ensure(FakeAws("SUCCEEDED", denials=100))
