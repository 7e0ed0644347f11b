"""The page of privileges, and what a run calls a problem."""

from tests.permissions.grants import Grant, Role
from tests.permissions.page import page, rights
from tests.permissions.run import Finding, Findings
from tests.permissions.trial import Probe
from tests.permissions.untried import UNTRIED, idle, reason_of
from tests.permissions.wildcards import Wildcard

READ = Grant(
    Role("Some/Role", "name"), "policy", "s3:GetObject", "arn:…", "Some/Bucket/*", '{"StringLike": {"a:b": "c"}}'
)
TRACE = Grant(Role("Some/Role", "name"), "policy", "xray:PutTraceSegments", "*", "*")
WORK = Probe("A photo is read", lambda trial: None)


def test_it_says_of_each_right_what_fails_without_it_or_why_that_was_not_tried() -> None:
    found = Findings(
        [Finding(READ, [WORK], None, (WORK, "denied")), Finding(TRACE, [], reason_of(TRACE))],
        [Wildcard("Some/Role", "*", "Traces have no resource")],
        [Role("Some/OtherRole", "other")],
        ["cdk-role"],
        calls=1234,
    )
    text = page(found)
    assert "1,234 calls" in text and "103" not in text
    assert "| `s3:GetObject` | `Some/Bucket/*` if `a:b StringLike c` | A photo is read |" in text
    assert "| `xray:PutTraceSegments` | `*` | [Not tried](#rights-that-nothing-here-can-use) |" in text
    assert "| `Some/Role` | `*` | Traces have no resource |" in text
    assert "- `Some/OtherRole`\n" in text and "- `cdk-role`\n" in text
    assert rights(text) == {
        ("Some/Role", "s3:GetObject", "Some/Bucket/* if a:b StringLike c"),
        ("Some/Role", "xray:PutTraceSegments", "*"),
    }


def test_a_reason_not_to_try_is_idle_when_nothing_unused_needs_it() -> None:
    told = idle([TRACE])
    assert "*: xray:PutTelemetryRecords" in told
    assert "*: xray:PutTraceSegments" not in told
    assert len(told) == sum(len(untried.actions) for untried in UNTRIED) - 1


def test_only_rights_with_a_reason_may_go_unused() -> None:
    assert reason_of(READ) is None
    assert reason_of(TRACE) is not None
