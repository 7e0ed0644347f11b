"""The generated page `docs/reports/permissions.md`: the permissions of each role, and what fails without them."""

import re
from collections.abc import Iterable

from local.emulator import ROOT
from tests.permissions.trials import Finding, Findings
from tests.permissions.unexercised import UNEXERCISED, reason_for

REPORT = ROOT / "docs" / "reports" / "permissions.md"

_LINK = "[Not exercised](#permissions-that-the-sandbox-cannot-exercise)"
_ROW = re.compile(r"\| `(\w+:\w+)` \| (`[^`]+`(?: if `[^`]+`)?) \| [^|]+ \|")

_HEAD = """# IAM permissions of each role, and what fails without them

`make permissions` generates this page from a run in the sandbox, where the emulator enforces IAM policies.
A permission is one action on one resource. A task is something that a role does for the service.

1. With all permissions, every task succeeded. IAM evaluated {requests:,} requests of the roles.
2. Each permission was revoked on its own, and a task that uses it ran again. For each of {necessary} permissions, the
   task in the table failed, and IAM denied exactly the revoked permission.

The sandbox cannot exercise {unexercised} permissions. The
[reasons](#permissions-that-the-sandbox-cannot-exercise) follow the tables.

Resources are shown as construct paths, which begin with the stack. The roles in `Workers` exist with
`thumbnails_on=fargate` or `ec2`, `Ecs/WorkerHosts/Role` with `ec2`, and those in `Expiry` with `expires_at`.
`make test` checks that the roles have these permissions and no others. Each wildcard has a reason in the code of its
stack, which cdk-nag checks (rule AwsSolutions-IAM5).
"""

_CDK_ROLES = """## Roles of the CDK

The CDK creates these roles for its custom resources and in `cdk bootstrap`. The trials do not cover them.
"""


def render(findings: Findings) -> str:
    """Return the page as Markdown."""
    by_role: dict[str, list[Finding]] = {}
    for finding in findings.items:
        by_role.setdefault(finding.permission.role.path, []).append(finding)
    parts = [
        _HEAD.format(
            requests=findings.requests, necessary=len(findings.necessary), unexercised=len(findings.unexercised)
        )
    ]
    for role, of_role in sorted(by_role.items()):
        rows = [
            (_code(it.permission.action), _code(it.permission.scope), _failing_task(it))
            for it in sorted(of_role, key=lambda it: (it.permission.action, it.permission.scope))
        ]
        parts += [f"## {role}\n", _table(("Action", "Resource", "Task that fails without it"), rows)]
    unexercised = [
        (_code(it.roles), ", ".join(map(_code, it.actions)), f"{it.reason} ([AWS documentation]({it.source}))")
        for it in UNEXERCISED
    ]
    parts += [
        "## Permissions that the sandbox cannot exercise\n",
        _table(("Role", "Actions", "Reason"), unexercised),
        "## Roles without permissions\n",
        _list(role.path for role in findings.empty_roles),
        _CDK_ROLES,
        _list(findings.cdk_roles),
    ]
    return "\n".join(parts)


def permissions_on(page: str) -> set[tuple[str, str, str]]:
    """Return the role, action, and scope of each permission on a page."""
    return {
        (section.partition("\n")[0], action, scope.replace("`", ""))
        for section in page.split("\n## ")
        for action, scope in _ROW.findall(section)
    }


def _failing_task(finding: Finding) -> str:
    if finding.failed:
        return finding.failed.task
    return _LINK if reason_for(finding.permission) else "Not revoked in this run"


def _code(text: str) -> str:
    return f"`{text}`".replace(" if ", "` if `")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, ("---",) * len(header), *rows))


def _list(paths: Iterable[str]) -> str:
    return "".join(f"- `{path}`\n" for path in paths)
