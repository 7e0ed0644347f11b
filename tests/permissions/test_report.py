"""The generated page of permissions, and the reasons for permissions that no probe uses."""

from tests.permissions.probe import Probe
from tests.permissions.report import permissions_on, render
from tests.permissions.roles import Permission, Role
from tests.permissions.trials import Finding, Findings
from tests.permissions.unexercised import UNEXERCISED, obsolete_reasons

ROLE = Role("Some/Role", "name")
READ = Permission(ROLE, "policy", "s3:GetObject", "arn:…", "Some/Bucket/*", '{"StringLike": {"a:b": "c"}}')
TRACE = Permission(ROLE, "policy", "xray:PutTraceSegments", "*", "*")
PROBE = Probe("Read a photo", lambda trial: None)


def test_report_lists_each_permission_with_its_task_or_reason() -> None:
    findings = Findings(
        [Finding(READ, [PROBE], PROBE), Finding(TRACE)],
        [Role("Some/OtherRole", "other")],
        ["cdk-role"],
        requests=1234,
    )
    text = render(findings)
    assert "| `s3:GetObject` | `Some/Bucket/*` if `a:b StringLike c` | Read a photo |" in text
    assert "| `xray:PutTraceSegments` | `*` | [Not exercised](#" in text
    assert "- `Some/OtherRole`\n" in text and "- `cdk-role`\n" in text
    assert permissions_on(text) == {
        ("Some/Role", "s3:GetObject", "Some/Bucket/* if a:b StringLike c"),
        ("Some/Role", "xray:PutTraceSegments", "*"),
    }


def test_reasons_are_obsolete_unless_an_unused_permission_needs_them() -> None:
    obsolete = obsolete_reasons([TRACE])
    assert "*: xray:PutTelemetryRecords" in obsolete
    assert "*: xray:PutTraceSegments" not in obsolete
    assert len(obsolete) == sum(len(it.actions) for it in UNEXERCISED) - 1
