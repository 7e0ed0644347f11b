"""ImageBuilds: run when the image is missing, waited for, and every end that is not an image said."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_build.builds import BuildError, ImageBuilds


class Aws:
    """CodeBuild and ECR with one project, whose builds go through the given states."""

    def __init__(self, *states: str, refusals: int = 0, pushes: bool = True) -> None:
        self._states: Iterator[str] = iter(states)
        self._refusals = refusals
        self._pushes = pushes
        self.started = 0
        self.tags: set[str] = set()

    def start_build(self, projectName: str) -> dict[str, Any]:
        if self._refusals:
            self._refusals -= 1
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not yet"}}, "StartBuild")
        self.started += 1
        return {"build": {"id": "p:1", "buildStatus": "IN_PROGRESS"}}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        assert ids == ["p:1"]
        return {"builds": [self._build()]}

    def _build(self) -> dict[str, Any]:
        state = next(self._states)
        if state == "SUCCEEDED" and self._pushes:
            self.tags.add("t")
        phases = [{"phaseType": "BUILD", "contexts": [{"statusCode": "", "message": ""}]}]
        if state != "SUCCEEDED":
            phases.append({"phaseType": "POST_BUILD", "contexts": [{"statusCode": "X", "message": "docker: exit 1"}]})
        return {
            "id": "p:1",
            "buildStatus": state,
            "phases": [{"phaseType": "QUEUED"}, *phases],
            "logs": {"groupName": "g", "streamName": "s"},
        }

    def batch_get_image(self, repositoryName: str, imageIds: list[dict[str, str]]) -> dict[str, Any]:
        return {"images": [entry for entry in imageIds if entry["imageTag"] in self.tags]}


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds it would have waited."""
    seconds: list[float] = []
    monkeypatch.setattr("image_build.builds.time.sleep", seconds.append)
    return seconds


def ensure(aws: Aws) -> None:
    ImageBuilds(aws, aws).ensure(project="p", repository="r", tag="t")


def test_a_missing_image_is_built_and_waited_for(pauses: list[float]) -> None:
    aws = Aws("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED")
    ensure(aws)
    assert aws.started == 1 and "t" in aws.tags
    assert len(pauses) == 2


def test_an_image_that_is_there_is_not_built_again() -> None:
    aws = Aws()
    aws.tags.add("t")
    ensure(aws)
    assert aws.started == 0


@pytest.mark.parametrize("end", ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"])
def test_a_build_that_ends_otherwise_is_an_error_that_says_why_and_where_its_log_is(end: str) -> None:
    with pytest.raises(BuildError, match=rf"p:1 ended as {end}: docker: exit 1\. Its log: group g, stream s\."):
        ensure(Aws("IN_PROGRESS", end))


def test_a_build_that_succeeds_without_an_image_is_an_error() -> None:
    with pytest.raises(BuildError, match="has no image t"):
        ensure(Aws("SUCCEEDED", pushes=False))


def test_a_role_that_is_not_known_everywhere_yet_is_waited_for(pauses: list[float]) -> None:
    aws = Aws("SUCCEEDED", refusals=3)
    ensure(aws)
    assert aws.started == 1
    assert len(pauses) == 3


def test_a_right_that_is_missing_for_good_is_an_error() -> None:
    with pytest.raises(ClientError, match="not yet"):
        ensure(Aws("SUCCEEDED", refusals=100))
