"""Commands of `operations`, with the emulator as the account."""

import subprocess
import sys
from collections.abc import Sequence

from local.emulator import ROOT
from local.sandbox import Sandbox

_PROGRAM = ("-m", "operations")


def operation(sandbox: Sandbox, *arguments: str, program: Sequence[str] = _PROGRAM) -> list[str]:
    """Return the command line of an operation on the deployment of the sandbox."""
    name = sandbox.stack_name("").removesuffix("-")
    return [sys.executable, *program, "-c", f"name={name}", *arguments]


def run_operation(
    sandbox: Sandbox, *arguments: str, stdin: int = subprocess.DEVNULL, program: Sequence[str] = _PROGRAM
) -> subprocess.CompletedProcess[str]:
    """Run an operation on the deployment of the sandbox."""
    return subprocess.run(
        operation(sandbox, *arguments, program=program),
        cwd=ROOT,
        env=sandbox.cdk.environment(),
        stdin=stdin,
        capture_output=True,
        text=True,
    )
