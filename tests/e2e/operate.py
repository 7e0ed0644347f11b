"""Commands of `operations`, with the emulator as the account."""

import subprocess
import sys

from local.emulator import ROOT
from local.sandbox import Sandbox


def operation(sandbox: Sandbox, *arguments: str) -> list[str]:
    """Return the command line of an operation on the deployment of the sandbox."""
    name = sandbox.stack_name("").removesuffix("-")
    return [sys.executable, "-m", "operations", "-c", f"name={name}", *arguments]


def run_operation(
    sandbox: Sandbox, *arguments: str, stdin: int = subprocess.DEVNULL
) -> subprocess.CompletedProcess[str]:
    """Run an operation on the deployment of the sandbox."""
    return subprocess.run(
        operation(sandbox, *arguments),
        cwd=ROOT,
        env=sandbox.cdk.environment(),
        stdin=stdin,
        capture_output=True,
        text=True,
    )
