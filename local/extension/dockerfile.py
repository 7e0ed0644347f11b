"""Dockerfiles: the environment and the command of an image."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Variables with paths that exist only in the image.
_IMAGE_PATHS = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "HOME")


@dataclass(frozen=True)
class Dockerfile:
    """ENV, ENTRYPOINT, and CMD of the last stage, without the variables that hold paths of the image."""

    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]


def read_dockerfile(folder: Path) -> Dockerfile:
    """Read the Dockerfile in a folder. Raises ValueError for a command in shell form."""
    environment: dict[str, str] = {}
    commands: dict[str, tuple[str, ...]] = {}
    for instruction, rest in _instructions((folder / "Dockerfile").read_text()):
        if instruction == "FROM":
            environment, commands = {}, {}
        elif instruction == "ENV":
            pairs = dict(pair.partition("=")[::2] for pair in shlex.split(rest))
            environment |= {name: value for name, value in pairs.items() if name not in _IMAGE_PATHS}
        elif instruction in ("ENTRYPOINT", "CMD"):
            if not rest.startswith("["):
                raise ValueError(f'{instruction} {rest}: expected a list such as ["python", "program.py"]')
            commands[instruction] = tuple(json.loads(rest))
    return Dockerfile(environment, commands.get("ENTRYPOINT", ()), commands.get("CMD", ()))


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n", " ", without_comments).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction:
            yield instruction.upper(), rest.strip()
