"""The CDK CLI of this folder, for operations on an account and on the emulator."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import IO, Any

from local.console import Step, print_end, print_start
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
    log = io.StringIO()

    def print_wait(line: str) -> None:
        if line.endswith("…"):  # the app installs libraries
            print(line, file=sys.stderr)

    options = ["--quiet", "--output", str(folder), *context_options(settings)]
    try:
        run_cdk("synth", *options, log=log, on_line=print_wait)
    except OperationError:
        output = log.getvalue()
        invalid_settings = [line for line in output.splitlines() if line.startswith("Setting ")]
        raise OperationError("\n".join(invalid_settings) or f"{output}\n`cdk synth` failed.") from None
    return Assembly(folder)


def context_options(settings: Mapping[str, str]) -> list[str]:
    """Return the CLI options that pass settings to the app."""
    return [option for item in settings.items() for option in ("-c", "=".join(item))]


def run_cdk(
    *arguments: str,
    log: IO[str],
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], object] | None = None,
) -> None:
    """Run the CDK CLI and wait for it. The CLI asks no questions, and an interruption of this process kills it.

    Args:
        arguments: The command and its options.
        log: Receives all output, without colors.
        environment: All environment variables of the CLI. The default is `cdk_environment()`.
        on_line: Receives each line of the output, too, without surrounding spaces.

    Raises:
        OperationError: The CLI failed. The message has the lines of its output that contain the reason.
    """
    process = subprocess.Popen(
        [_CLI, "--no-notices", *arguments],
        cwd=_ROOT,
        env=cdk_environment() if environment is None else environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout
    lines: list[str] = []
    try:
        for colored in process.stdout:
            line = re.sub(r"\x1b\[[0-9;]*m", "", colored)
            log.write(line)
            log.flush()  # so that a user can follow it
            lines.append(line.strip())
            if on_line:
                on_line(lines[-1])
        status = process.wait()
    finally:
        with suppress(ProcessLookupError, PermissionError):  # macOS: no permission for a group that has ended
            os.killpg(process.pid, signal.SIGKILL)  # the app, too, which the CLI starts
        process.wait()
        process.stdout.close()
    if status != 0:
        raise OperationError(_failure(arguments[0], lines))


def _failure(command: str, lines: Sequence[str]) -> str:
    """Return the lines of the output of a failed command that contain the reason."""
    # A failed resource is listed twice, with and without the progress.
    plain = [re.sub(r".*\| *(\w+_FAILED) *\| *(\S+) *\| *", r"\1 \2 ", line) for line in lines]
    reasons = _app_error(lines) or [
        line
        for line in plain
        if re.search(r"CREATE_FAILED|UPDATE_FAILED|DELETE_FAILED|❌|rror|ERROR|^Setting ", line)
        and not re.search(r"Subprocess exited with error|^‣.*:$", line)  # the app has printed the reason; a heading
    ]
    return "\n  ".join([f"`cdk {command}` failed:", *dict.fromkeys((reasons or lines)[:8])])


def _app_error(lines: Sequence[str]) -> list[str]:
    """Return the last line of this project in the traceback of the app, and the error, or nothing without traceback."""
    frames = [number for number, line in enumerate(lines) if line.startswith('File "')]
    own = [lines[number] for number in frames if f'"{_ROOT}/' in lines[number] and "site-packages" not in lines[number]]
    # After the source line, with or without a mark below it.
    error = dropwhile(lambda line: not re.match(r"[\w.]+(:|$)", line), lines[frames[-1] + 1 :] if own else [])
    return [*own[-1:], *(line for line in error if line and "Subprocess exited with error" not in line)]


class CdkProgress:
    """What the CDK CLI waits for, read from its output."""

    def __init__(self, step: Step, *, list_stacks: bool) -> None:
        """Start without stacks in progress.

        Args:
            step: Shows what it waits for.
            list_stacks: Also print a line with the duration of each stack.
        """
        self._step = step
        self._list_stacks = list_stacks
        self._starts: dict[str, float] = {}  # of the stacks in progress, by `time.monotonic`
        # What each stack waits for, the newest last: assets to publish, then resources with their status.
        self._waits: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._completed: set[tuple[str, str, str]] = set()

    def read(self, line: str) -> None:
        """Read the next line of the output."""
        if match := re.match(r"(\w+) \(\S+\): (deploying|destroying)\.\.\.", line):
            self._starts[match[1]] = time.monotonic()
            if self._list_stacks:
                print_start(match[1])
        elif (match := re.match(r"(✅|❌) +(\w+)", line)) and match[2] in self._starts:
            self._waits.pop(match[2], None)
            start = self._starts.pop(match[2])
            if self._list_stacks:
                print_end(match[2], start, succeeded=match[1] == "✅")
        elif match := re.match(r"\S+-(\w+): (start|success|fail): Publish\w+ (.+) \(", line):
            stack, state, asset = match.groups()
            self._waits[stack].pop(asset, None)
            if state == "start":
                self._waits[stack][asset] = f"{stack}: publishing {asset}"
        elif match := re.match(r"(?:\S+-)?(\w+) *\|.* (\w+)_(IN_PROGRESS|COMPLETE|FAILED) *\| *(\S+) *\| *(\S+)", line):
            self._read_event(*match.groups())
        waits = {stack: next(reversed(self._waits[stack].values()), stack) for stack in self._starts}
        waits |= {stack: next(reversed(texts.values())) for stack, texts in self._waits.items() if texts}
        # Ends with an ellipsis: the app installs libraries.
        self._step.waits_for = line if line.endswith("…") else ", ".join(waits.values())

    def _read_event(self, stack: str, operation: str, state: str, resource_type: str, path: str) -> None:
        if state != "IN_PROGRESS":
            self._waits[stack].pop(path, None)
            self._completed.add((stack, path, operation))
        elif (stack, path, operation) not in self._completed:  # Events of the same time are in any order.
            self._waits[stack].pop(path, None)
            name = path if path.startswith(f"{stack}/") else stack
            self._waits[stack][path] = f"{name} {operation}_{state} {resource_type}"


def cdk_environment(**variables: str) -> dict[str, str]:
    """Return the environment of this process with `variables`, and with this Python and Node.js first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, **variables}
