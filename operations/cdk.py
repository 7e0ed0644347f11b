"""The CDK CLI of this folder, for operations on an account and on the emulator."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from operations.errors import OperationError

_ROOT = Path(__file__).parent.parent
_CLI = _ROOT / "node_modules" / ".bin" / "cdk"

# The stack that consumes the upload queue of the stack `Thumbnails`, if `thumbnails_on` is fargate or ec2.
WORKERS = "Workers"

_STACK = "aws:cloudformation:stack"  # type of the artifact of a stack


def cdk_json_context() -> dict[str, Any]:
    """Return the context in `cdk.json`, which holds the default settings.

    Raises:
        OperationError: The file is invalid.
    """
    try:
        context: dict[str, Any] = json.loads((_ROOT / "cdk.json").read_text())["context"]
    except ValueError as error:
        raise OperationError(f"cdk.json is not valid JSON: {error}") from error
    except KeyError as error:
        raise OperationError(f"cdk.json has no {error}.") from error
    name = context.setdefault("name", "other-compute")  # the default of the app
    if not isinstance(name, str):
        raise OperationError(f"Setting name in cdk.json: expected a string, but received {name!r}")
    return context


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly: the folder that `cdk synth` writes."""

    folder: Path

    def stacks(self) -> dict[str, set[str]]:
        """Return the ids of all stacks, each with the ids of its direct dependencies."""
        stacks = {name: artifact for name, artifact in self._artifacts().items() if artifact["type"] == _STACK}
        return {name: stacks.keys() & set(stacks[name].get("dependencies", [])) for name in sorted(stacks)}

    def templates(self) -> dict[str, dict[str, Any]]:
        """Return the templates of all stacks by stack id."""
        artifacts = self._artifacts()
        files = {name: artifacts[name]["properties"]["templateFile"] for name in self.stacks()}
        return {name: json.loads((self.folder / file).read_text()) for name, file in files.items()}

    def bootstrap_version(self) -> int:
        """Return the version of the CDK bootstrap stack that the deployment needs."""
        properties = [artifact.get("properties", {}) for artifact in self._artifacts().values()]
        return max(int(it.get("requiresBootstrapStackVersion", 0)) for it in properties)

    def _artifacts(self) -> dict[str, dict[str, Any]]:
        artifacts: dict[str, dict[str, Any]] = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        return artifacts

    def with_dependencies(self, chosen: set[str]) -> set[str]:
        """Return these stacks and all their dependencies.

        Raises:
            OperationError: A stack does not exist.
        """
        stacks = self.stacks()
        if unknown := chosen - stacks.keys():
            raise OperationError(f"Unknown stack {', '.join(sorted(unknown))}. Allowed: {', '.join(stacks)}.")
        return chosen.union(*(self.with_dependencies(stacks[stack]) for stack in chosen))

    def to_deploy(self, chosen: Collection[str]) -> set[str]:
        """Return all stacks, or the chosen ones with all their dependencies and with what consumes the upload queue.

        Raises:
            OperationError: A stack does not exist.
        """
        stacks = self.with_dependencies(set(chosen or self.stacks()))
        consumer = self.stacks().keys() & {WORKERS} if "Thumbnails" in stacks else set()
        return stacks | self.with_dependencies(consumer)


def synthesize(folder: Path, settings: Mapping[str, str]) -> Assembly:
    """Synthesize all stacks into a folder.

    Raises:
        OperationError: A setting is invalid (one line), or synthesis failed (with its output).
    """
    print("Synthesizing the templates of all stacks …", file=sys.stderr)
    with tempfile.TemporaryFile("w+") as log:
        try:
            run_cdk("synth", "--quiet", "--output", str(folder), *context_options(settings), log=log)
        except OperationError as error:
            log.seek(0)
            output = log.read()
            invalid_settings = [line for line in output.splitlines() if line.startswith("Setting ")]
            raise OperationError("\n".join(invalid_settings) or f"{output}\n{error}") from None
    return Assembly(folder)


def context_options(settings: Mapping[str, str]) -> list[str]:
    """Return the CLI options that pass settings to the app."""
    return [option for item in settings.items() for option in ("-c", "=".join(item))]


def run_cdk(*arguments: str, environment: Mapping[str, str] | None = None, log: IO[str] | None = None) -> None:
    """Run the CDK CLI and wait for it.

    Args:
        arguments: The command and its options.
        environment: All environment variables of the CLI. The default is `cdk_environment()`.
        log: Receives all output; the CLI then asks no questions, and an interruption of this process kills it.
            Without a log, the CLI uses this terminal.

    Raises:
        OperationError: The CLI failed. Its output contains the reason.
    """
    logged: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "start_new_session": True}
    process = subprocess.Popen(
        [_CLI, "--no-notices", *(["--no-color"] if os.environ.get("NO_COLOR") else []), *arguments],
        cwd=_ROOT,
        env=cdk_environment() if environment is None else environment,
        **logged if log else {},
    )
    try:
        status = process.wait()
    finally:
        if log:  # Kill the app, too, which the CLI starts.
            with suppress(ProcessLookupError, PermissionError):  # macOS: no permission for a group that has ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if status != 0:
        raise OperationError(f"`cdk {arguments[0]}` failed. Its output contains the reason.")


def cdk_environment(**variables: str) -> dict[str, str]:
    """Return the environment of this process with `variables`, and with this Python and Node.js first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, **variables}
