"""A deployment of its own in an AWS account, as the target of the end-to-end tests, and the report about it."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import boto3
import pytest

from local.deployment import AccountDeployment
from local.inventory import inventory
from operations.account import Account, create_session, current_account
from operations.cdk import cdk_json_context
from operations.deployed_stacks import find_stacks
from operations.errors import OperationError
from stacks.support.settings import Settings
from tests.e2e.eventually import eventually

ROOT = Path(__file__).parents[2]
REPORT = ROOT / ".cache" / "e2e-report.md"

# `make deploy` creates service-linked roles, which remain.
_REMAINS = "iam AWSServiceRoleFor"


@dataclass
class AccountReport:
    """What happened in the account, as text for an issue. It does not contain the account number.

    Attributes:
        account: The account, once it is known.
        seconds: The duration of each step.
        results: The nodeid of each test with its outcome, its duration in seconds, and the error.
        not_run: The number of tests that need the emulator.
        remaining: What remains after the deployment was destroyed, or None if that is unknown.
    """

    account: Account | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    results: dict[str, tuple[str, float, str]] = field(default_factory=dict)
    not_run: int = 0
    remaining: set[str] | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - start

    def add(self, result: pytest.TestReport) -> None:
        """Add the result of a test, or the error of its setup or teardown."""
        if result.when == "call" or result.outcome != "passed":
            error = result.longreprtext.strip().rpartition("\n")[2] if result.failed else ""
            self.results[result.nodeid] = (result.outcome, result.duration, error)

    def text(self) -> str:
        """Return the report as Markdown."""
        assert self.account
        outcomes = [outcome for outcome, _, _ in self.results.values()]
        counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in sorted(set(outcomes)))
        commit, cdk = _output("git", "rev-parse", "HEAD"), _output("node_modules/.bin/cdk", "--version")
        libraries = ", ".join(f"{name} {version(name)}" for name in ("aws-cdk-lib", "boto3"))
        durations = self.seconds | {"tests": sum(seconds for _, seconds, _ in self.results.values())}
        slowest = sorted(self.results.items(), key=lambda item: -item[1][1])[:10]
        failed = [f"- `{test}`: {error}" for test, (outcome, _, error) in self.results.items() if outcome == "failed"]
        remaining = "unknown" if self.remaining is None else ", ".join(sorted(self.remaining)) or "nothing"
        lines = [
            "# End-to-end tests in an AWS account",
            "",
            f"- Result: {counts or 'no test ran'}; {self.not_run} tests need the emulator and did not run",
            f"- Date and Region: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {self.account.region}",
            f"- Versions: commit {commit or 'unknown'}, Python {platform.python_version()}, CDK CLI {cdk}, {libraries}",
            f"- Remaining after destroy, except service-linked roles: {remaining}",
            "",
            "| Step | Seconds |",
            "|---|---|",
            *(f"| {step} | {seconds:.0f} |" for step, seconds in durations.items()),
            *(f"| `{test}` | {seconds:.1f} |" for test, (_, seconds, _) in slowest),
            "",
            "## Differences from the emulator",
            "",
            "In the emulator, all these tests pass. In the account, these failed:",
            "",
            *(failed or ["- none"]),
        ]
        return "\n".join(lines).replace(self.account.number, "ACCOUNT") + "\n"


def own_name(session: boto3.Session) -> str:
    """Return the setting `name` of the deployment for the tests: the variable E2E_NAME, or `e2e-tests`.

    Raises:
        OperationError: A user can have a deployment with this name.
    """
    name = os.environ.get("E2E_NAME") or "e2e-tests"
    if name in (Settings().name, cdk_json_context()["name"]):
        raise OperationError(f"E2E_NAME: the tests destroy their deployment, so it cannot have your usual name {name}.")
    if find_stacks(session, name):
        raise OperationError(f"The deployment {name} exists. Run: make destroy name={name}, or set E2E_NAME.")
    return name


@contextmanager
def deployed_to_account(report: AccountReport) -> Iterator[AccountDeployment]:
    """Deploy all stacks to the account of these credentials. Afterwards, destroy them; nothing may remain.

    Raises:
        OperationError: The deployment is impossible, or it failed.
    """
    session = create_session()
    account = current_account(session)
    deployment = AccountDeployment(session, own_name(session))
    before = inventory(deployment.client)
    report.account = account

    def remaining() -> set[str]:
        found = inventory(deployment.client) - before
        return {resource for resource in found if not resource.startswith(_REMAINS)}

    try:
        with report.step("deploy"):
            _operate("deploy", deployment.name)
        deployment.outputs = {stack.id: dict(stack.outputs) for stack in find_stacks(session, deployment.name).values()}
        yield deployment
    finally:
        with report.step("destroy"):
            _operate("destroy", deployment.name)
        try:
            eventually(lambda: not remaining())  # Some services list deleted resources for minutes.
        finally:
            report.remaining = remaining()


def _operate(command: str, name: str) -> None:
    arguments = [sys.executable, "-m", "operations", "-c", f"name={name}", command, "--yes"]
    if subprocess.run(arguments, cwd=ROOT).returncode:
        raise OperationError(f"`make {command} name={name}` failed.")


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
