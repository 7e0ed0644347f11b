"""Run the permission trials: `python -m tests.permissions`, or `make permissions`."""

import argparse
import sys
import time

from local.console import heading, step
from local.errors import SandboxError
from local.sandbox import running_sandbox
from tests.permissions.authorization import AuthorizationLog
from tests.permissions.compute import compute_trials
from tests.permissions.probe import ProbeFailed
from tests.permissions.report import REPORT, render
from tests.permissions.trials import Findings, PermissionTrials


def main() -> None:
    """Run all trials in new sandboxes and write the report.

    Exits with status 1 and the problems if there are any, and with status 2 for invalid arguments.
    """
    argparse.ArgumentParser(
        prog="python -m tests.permissions",
        description=f"Revoke each permission of each role, check that a probe fails, and write {REPORT.name}.",
    ).parse_args()
    start = time.monotonic()
    try:
        with running_sandbox(context={"expires_at": "2100-01-01T00:00:00Z"}) as sandbox:
            sandbox.deploy()
            with AuthorizationLog(sandbox.emulator) as log:
                findings = _run(PermissionTrials(sandbox, log))
        for value in ("fargate", "ec2"):  # The others add no role.
            heading(f"thumbnails_on={value}")
            known = frozenset(finding.permission.role.path for finding in findings.items)
            with running_sandbox(context={"thumbnails_on": value}) as sandbox:
                sandbox.deploy("Workers")
                with (
                    AuthorizationLog(sandbox.emulator) as log,
                    compute_trials(sandbox, log, value, except_roles=known) as trials,
                ):
                    findings.add(_run(trials))
    except (SandboxError, ProbeFailed) as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. No resources remain.")
    if findings.problems:
        sys.exit("\n  ".join([f"\n{len(findings.problems)} problems:", *findings.problems]))
    REPORT.write_text(render(findings))
    print(f"\nAll permissions are necessary ({time.monotonic() - start:.0f} s). Report: {REPORT}")


def _run(trials: PermissionTrials) -> Findings:
    heading("Probes, with all permissions")
    with step("all probes succeed") as notes:
        findings = trials.run_all_probes()
        notes.append(
            f"{findings.requests:,} authorization requests, {len(findings.items)} permissions, of which the sandbox "
            f"cannot exercise {len(findings.unexercised)}"
        )
    heading("Probes, with one permission revoked at a time")
    trials.revoke_each(findings)
    return findings


if __name__ == "__main__":
    main()
