"""The page of what each role may do, and what fails without it: `docs/reports/permissions.md`."""

import re
from collections.abc import Iterable, Iterator

from local.emulator import ROOT
from tests.permissions.run import Finding, Findings
from tests.permissions.untried import UNTRIED

PAGE = ROOT / "docs" / "privileges.md"

_HEAD = """# What each role may do, and what fails without it

Written by `make permissions` from what its run found, in the sandbox with IAM enforced. {calls:,} calls of roles were
decided, and what they need was granted. Then each right, one action on one resource, was taken away on its own, and the
work that had used it was done again: {taken} rights were missed by the work named here, which was denied just that.
{untried} rights cannot be used in the sandbox, for [reasons](#rights-that-nothing-here-can-use).

Resources are named by their stack and construct. `make test` looks whether the roles have these rights and no others.
"""


_ROW = re.compile(r"\| `([^`]+)` \| (`[^`]+`(?: if `[^`]+`)?) \| [^|]+ \|")


def rights(page: str) -> set[tuple[str, str, str]]:
    """Of which rights a page tells: role, action, resource with its condition."""
    found, role = set(), ""
    for line in page.splitlines():
        if line.startswith("## "):
            role = line.removeprefix("## ")
        elif (row := _ROW.fullmatch(line)) and ":" in row[1]:
            found.add((role, row[1], row[2].replace("`", "")))
    return found


def page(found: Findings) -> str:
    """The page, in Markdown."""
    by_role: dict[str, list[Finding]] = {}
    for finding in found.findings:
        by_role.setdefault(finding.grant.role.path, []).append(finding)
    parts = [_HEAD.format(calls=found.calls, taken=len(found.taken), untried=len(found.untried))]
    for role, findings in by_role.items():
        rows = (
            (f"`{it.grant.action}`", f"`{it.grant.told}`{_condition(it)}", _why(it))
            for it in sorted(findings, key=lambda it: (it.grant.action, it.grant.told))
        )
        parts += [f"## {role}\n", _table(("Action", "On", "What fails without it"), rows)]
    parts += [
        "## Rights that nothing here can use\n",
        _table(
            ("Of", "Rights", "Why", "Who asks for them"),
            ((f"`{it.roles}`", _names(sorted(it.actions)), it.reason, f"[AWS]({it.says})") for it in UNTRIED),
        ),
        "## Roles that may do nothing\n",
        _list(role.path for role in found.idle_roles),
        "## Wildcards, and why they stay\n",
        _table(
            ("Of", "Resource", "Why"),
            ((f"`{it.construct}`", f"`{it.told}`", it.reason) for it in found.wildcards),
        ),
        "## Roles of the CDK\n\nMade with its helper functions and by `cdk bootstrap`, for itself; not tried here.\n",
        _list(found.helpers),
    ]
    return "\n".join(parts)


def _why(finding: Finding) -> str:
    if finding.fails:
        probe, _ = finding.fails
        return probe.what
    if finding.untried:
        return "[Not tried](#rights-that-nothing-here-can-use)"
    return "Not tried in this run"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _condition(finding: Finding) -> str:
    return f" if `{finding.grant.condition}`" if finding.grant.conditions else ""


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    return "\n".join(_lines([heads, ["---"] * len(heads), *rows])) + "\n"


def _lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    return (f"| {' | '.join(cells)} |" for cells in rows)


def _list(names: Iterable[str]) -> str:
    return "\n".join(f"- `{name}`" for name in names) + "\n"
