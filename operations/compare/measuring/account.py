"""Compares the options in an AWS account: one deployment after the other, each of which it destroys."""

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import AccountDeployment, Deployment
from operations.account import current_account
from operations.cdk import synthesize
from operations.compare.measurement import Option, Target
from operations.compare.measuring.consumer import function_log_lines
from operations.confirm import confirm
from operations.cost.idle import idle_cost
from operations.deploy import deploy
from operations.deployed_stacks import find_stacks
from operations.destroy import destroy
from operations.errors import OperationError
from operations.settings import make_command
from stacks.support.settings import LOOPBACK_CIDR, ThumbnailsOn, emulator_settings

# A setting `name` has at most 20 characters.
_NAME_LENGTH: Final = 20
_SUFFIXES: Final[Mapping[ThumbnailsOn, str]] = {
    "lambda": "-cmp-l",
    "lambda-image": "-cmp-i",
    "fargate": "-cmp-f",
    "ec2": "-cmp-e",
}

# Logs arrive with a delay.
_LOG_SECONDS: Final = 60
_LOG_POLL_SECONDS: Final = 10


class _Report(NamedTuple):
    """What Lambda logs about an invocation: `billed` in milliseconds, and `memory`, the maximum so far, in MiB."""

    billed: float
    memory: float

    @classmethod
    def parse(cls, line: str) -> "_Report | None":
        """Read a line of the log, or return None if it is another one.

        Functions log JSON objects ("Lambda Telemetry API event schema reference"). The emulator logs the text that
        functions without JSON log.
        """
        if '"platform.report"' in line:
            metrics = json.loads(line)["record"]["metrics"]
            return cls(metrics["billedDurationMs"], metrics["maxMemoryUsedMB"])
        if match := re.search(r"^REPORT .*Billed Duration: (\d+) ms.*Max Memory Used: (\d+) MB", line):
            return cls(float(match[1]), float(match[2]))
        return None


def deployment_name(name: str, value: ThumbnailsOn) -> str:
    """Return the setting `name` of the deployment with this value of `thumbnails_on`."""
    suffix = _SUFFIXES[value]
    return name[: _NAME_LENGTH - len(suffix)].rstrip("-") + suffix


class AccountTarget:
    """The account of the credentials of this shell."""

    target: Target = "account"
    # After the last worker, ECS keeps an instance for 15 minutes ("Amazon ECS managed scaling behavior").
    patience = 1800.0

    def __init__(self, session: boto3.Session, settings: Mapping[str, str]) -> None:
        """Use the account of this session.

        Args:
            session: Credentials and region.
            settings: Settings of the command line, and `name`, from which the names of the deployments follow.

        Raises:
            OperationError: AWS rejects the credentials.
        """
        self._session = session
        # Nobody calls the API or the gallery, so only this machine itself can reach them.
        self._settings = {"allowed_cidr": LOOPBACK_CIDR, **settings}
        self._account = current_account(session)
        self.machine = self._account.region

    def confirm(self, stacks: Mapping[ThumbnailsOn, tuple[str, ...]], *, yes: bool) -> None:
        """Show what will be deployed and what it costs, and ask for confirmation.

        Args:
            stacks: Ids of the stacks to deploy for each value, without their dependencies.
            yes: Skip the question.

        Raises:
            OperationError: A deployment with one of the names exists, or the user did not confirm.
        """
        for value in get_args(ThumbnailsOn):
            name = deployment_name(self._settings["name"], value)
            if find_stacks(self._session, name):
                raise OperationError(f"The deployment {name} exists. Run: {make_command('destroy', name)}")
        print(f"\nThis will deploy to {self._account}, as {self._account.caller}, one after the other:")
        emulator = emulator_settings(self._session.client("cloudformation").meta.endpoint_url)
        for value, chosen in stacks.items():
            with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
                context = {**emulator, **self._given(value)}
                assembly = synthesize(Path(folder, "cdk.out"), context)
                deployed = assembly.with_dependencies(set(chosen))
                cost = idle_cost(assembly.folder, deployed)
            print(f"  {context['name']:20} {', '.join(sorted(deployed))}: {cost}")
        print("Each deployment exists for up to an hour, and is destroyed, also after an error or Ctrl-C.")
        confirm("Deploy and compare?", yes=yes)

    @contextmanager
    def deployed(self, value: ThumbnailsOn, stacks: tuple[str, ...]) -> Iterator[AccountDeployment]:
        """Deploy stacks under a name of their own, and destroy the deployment when the block ends.

        Raises:
            OperationError: The deployment failed, or something of it remains.
        """
        given = self._given(value)
        name = given["name"]
        problem: BaseException | None = None
        try:
            deploy(self._session, given, stacks, yes=True)
            found = find_stacks(self._session, name)
            yield AccountDeployment(
                self._session, name, outputs={stack.id: dict(stack.outputs) for stack in found.values()}
            )
        except BaseException as error:
            problem = error
            raise
        finally:
            self._destroy(name, problem)

    def start(self, option: Option, deployment: Deployment) -> None:
        """Do nothing: the logs of a new deployment contain only the comparison."""

    def measure(self, option: Option, deployment: Deployment, photos: int) -> dict[str, Any]:
        """Return the fields of `Measurement` that AWS reports: those of functions."""
        if option not in ("lambda", "lambda-image"):
            return {}
        reports = _reports(deployment)
        if not reports:
            return {}
        return {
            "peak_bytes": int(max(report.memory for report in reports) * 2**20) or None,
            "billed_seconds_per_photo": sum(report.billed for report in reports) / 1000 / photos,
        }

    def environment(self, deployment: Deployment) -> Mapping[str, str]:
        """Return the environment variables with which `python -m operations` reaches a deployment."""
        return os.environ | self._account.environment()

    def _given(self, value: ThumbnailsOn) -> dict[str, str]:
        return {**self._settings, "name": deployment_name(self._settings["name"], value), "thumbnails_on": value}

    def _destroy(self, name: str, problem: BaseException | None) -> None:
        print(f"\nDestroying {name} …")
        try:
            destroy(self._session, name, yes=True)
        except BaseException as error:
            remaining = "an unknown number of stacks"
            with suppress(OperationError, BotoCoreError, ClientError):
                remaining = ", ".join(sorted(find_stacks(self._session, name))) or "no stack"
            reasons = [str(it) or type(it).__name__ for it in (problem, error) if it]
            raise OperationError(
                f"{' '.join(reasons)}\nOf {name} remains: {remaining}. To delete it and end its cost, run: "
                f"{make_command('destroy', name)}"
            ) from error


def _reports(deployment: Deployment) -> list[_Report]:
    """Return the reports of all invocations of the thumbnail function, once no more of them arrive in the logs."""
    deadline = time.monotonic() + _LOG_SECONDS
    reports: list[_Report] = []
    while True:
        found = [report for line in function_log_lines(deployment) if (report := _Report.parse(line))]
        if (found and len(found) == len(reports)) or time.monotonic() > deadline:
            return found
        reports = found
        print("      waiting for the logs of the function", flush=True)
        time.sleep(_LOG_POLL_SECONDS)
