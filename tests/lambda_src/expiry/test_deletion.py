"""The order in which an expired deployment is deleted, and what remains."""

import pytest

from expiry.deletion import Deletion, DeletionOrder, Stack
from tests.lambda_src.expiry.fake_cloudformation import FakeCloudFormation

_EXPIRES_AT = "2026-11-28T20:00:00Z"
_ORDER = DeletionOrder(
    users={"Network": ["Ecs"], "Thumbnails": ["Cron", "Ecs"], "Cron": [], "Ecs": []}, last=["Guardrails", "Expiry"]
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("expiry.deletion._POLL_SECONDS", 0)


@pytest.fixture
def cloudformation() -> FakeCloudFormation:
    """CloudFormation with all stacks of the app."""
    cloudformation = FakeCloudFormation()
    cloudformation.add(*(f"photos-{stack}" for stack in ("Expiry", *_ORDER.users, "Guardrails")))
    return cloudformation


def _run(cloudformation: FakeCloudFormation, steps: int = 100) -> list[Stack]:
    """Run a deletion that has time for this many steps."""
    remaining_steps = iter(range(steps))
    return Deletion(cloudformation, "photos", _EXPIRES_AT, _ORDER).run(lambda: next(remaining_steps, None) is not None)


def _requests(cloudformation: FakeCloudFormation) -> list[set[str]]:
    """Return the ids of the stacks that were deleted at the same time, one set after the other."""
    return [{name.removeprefix("photos-") for name in names} for names in cloudformation.deleted if names]


def test_stacks_are_deleted_after_the_stacks_that_use_them_and_the_own_stack_last(
    cloudformation: FakeCloudFormation,
) -> None:
    assert _run(cloudformation) == []
    expected = [{"Cron", "Ecs"}, {"Network", "Thumbnails"}, {"Guardrails"}, {"Expiry"}]
    assert _requests(cloudformation) == expected


def test_stacks_that_left_the_app_are_deleted_first_from_the_newest_to_the_oldest(
    cloudformation: FakeCloudFormation,
) -> None:
    cloudformation.add("photos-Older", "photos-Newer")
    assert _run(cloudformation) == []
    assert _requests(cloudformation)[:3] == [{"Newer"}, {"Older"}, {"Cron", "Ecs"}]


def test_stacks_of_other_deployments_are_kept(cloudformation: FakeCloudFormation) -> None:
    others = {"photos-of-anna-Api": "photos-of-anna", "photos-Api": "another", "my-photos-Ecs": "photos", "other": ""}
    for name, tag in others.items():
        cloudformation.add(name, tag=tag)
    assert _run(cloudformation) == []
    assert cloudformation.stacks.keys() - {"photos-Expiry"} == others.keys()


def test_stacks_that_cannot_be_deleted_keep_what_they_use_and_the_topic(cloudformation: FakeCloudFormation) -> None:
    cloudformation.add("photos-Old")
    cloudformation.failing = {"photos-Old"}
    cloudformation.protected = {"photos-Cron"}
    remaining = {stack.id: stack for stack in _run(cloudformation)}
    assert remaining.keys() == {"Old", "Cron", "Thumbnails", "Guardrails"}
    assert (remaining["Old"].status, remaining["Old"].reason) == ("DELETE_FAILED", "[Bucket] is not empty")
    assert "TerminationProtection" in remaining["Cron"].reason
    assert sum("Cron" in names for names in _requests(cloudformation)) == 1, "one attempt in each run"

    cloudformation.failing, cloudformation.protected = set(), set()
    assert _run(cloudformation) == []
    assert cloudformation.stacks.keys() == {"photos-Expiry"}
    assert cloudformation.stacks["photos-Expiry"]["StackStatus"] == "DELETE_IN_PROGRESS"


def test_incomplete_deployment_is_deleted() -> None:
    cloudformation = FakeCloudFormation()
    cloudformation.add("photos-Expiry", "photos-Thumbnails")
    cloudformation.add("photos-Ecs", status="ROLLBACK_COMPLETE")
    cloudformation.add("photos-Cron", status="REVIEW_IN_PROGRESS")
    assert _run(cloudformation) == []
    assert _requests(cloudformation) == [{"Cron", "Ecs"}, {"Thumbnails"}, {"Expiry"}]


def test_stack_that_is_being_updated_is_deleted_later(cloudformation: FakeCloudFormation) -> None:
    cloudformation.stacks["photos-Ecs"]["StackStatus"] = "UPDATE_IN_PROGRESS"
    remaining = _run(cloudformation, steps=10)
    assert {stack.id for stack in remaining} == {"Network", "Thumbnails", "Ecs", "Guardrails"}
    cloudformation.stacks["photos-Ecs"]["StackStatus"] = "UPDATE_COMPLETE"
    assert _run(cloudformation) == []
    assert _requests(cloudformation)[-1] == {"Expiry"}


@pytest.mark.parametrize(
    ("status", "expires_at"),
    [
        ("UPDATE_IN_PROGRESS", _EXPIRES_AT),
        ("DELETE_IN_PROGRESS", _EXPIRES_AT),
        ("UPDATE_COMPLETE", "2026-11-29T20:00:00Z"),  # since the invocation started
    ],
)
def test_nothing_is_deleted_when_the_expiry_changes(
    cloudformation: FakeCloudFormation, status: str, expires_at: str
) -> None:
    cloudformation.add("photos-Expiry", status=status, ExpiresAt=expires_at)
    assert _run(cloudformation) == []
    assert _requests(cloudformation) == []


def test_run_ends_when_its_time_is_over(cloudformation: FakeCloudFormation) -> None:
    assert {stack.id for stack in _run(cloudformation, steps=0)} == {*_ORDER.users, "Guardrails"}
    assert _requests(cloudformation) == [{"Cron", "Ecs"}]
