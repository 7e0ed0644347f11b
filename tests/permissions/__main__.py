"""Least privilege on the command line: `python -m tests.permissions`, or `make permissions`."""

import argparse
import sys
import time

from local.console import heading, step
from local.errors import SandboxError
from local.sandbox import running_sandbox
from tests.permissions.decisions import Decisions
from tests.permissions.page import PAGE, page
from tests.permissions.run import Findings, Privileges
from tests.permissions.trial import Failed


def main() -> None:
    """Run it in a sandbox of its own. Exits with 1 and what is wrong when anything is, with 2 for wrong arguments."""
    argparse.ArgumentParser(
        prog="python -m tests.permissions", description="Each right of each role is taken away, and has to be missed."
    ).parse_args()
    start = time.monotonic()
    try:
        with running_sandbox() as sandbox:
            sandbox.deploy()
            with Decisions(sandbox.emulator) as decisions:
                found = _run(Privileges(sandbox, decisions))
    except (SandboxError, Failed) as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left.")
    if found.problems:
        sys.exit("\n  ".join([f"\n{len(found.problems)} things are not as they have to be:", *found.problems]))
    PAGE.write_text(page(found))
    print(f"\nEach right is needed, in {time.monotonic() - start:.0f} s. It is written down in {PAGE.name}.")


def _run(privileges: Privileges) -> Findings:
    heading("The work of all roles, with all their rights")
    with step("all of it is done") as told:
        found = privileges.used()
        told.append(f"{found.calls:,} calls of {len(found.findings)} rights; {len(found.untried)} cannot be used here")
    heading("Without one right after the other: what fails")
    privileges.missed(found)
    return found


if __name__ == "__main__":
    main()
