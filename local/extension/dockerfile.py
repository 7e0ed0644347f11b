"""What a Dockerfile says about how its program is started."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Paths that exist in the image alone.
_NOT_FOR_THIS_MACHINE = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "HOME")


@dataclass(frozen=True)
class Dockerfile:
    """ENV, ENTRYPOINT and CMD of the last stage; variables that hold paths of the image are left out."""

    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]


def read_dockerfile(folder: Path) -> Dockerfile:
    """What the Dockerfile in this folder says. Raises ValueError for a command in shell form."""
    environment: dict[str, str] = {}
    commands: dict[str, tuple[str, ...]] = {"ENTRYPOINT": (), "CMD": ()}
    for instruction, rest in _instructions((folder / "Dockerfile").read_text()):
        if instruction == "FROM":
            environment, commands = {}, {"ENTRYPOINT": (), "CMD": ()}
        elif instruction == "ENV":
            pairs = dict(pair.partition("=")[::2] for pair in shlex.split(rest))
            environment |= {name: value for name, value in pairs.items() if name not in _NOT_FOR_THIS_MACHINE}
        elif instruction in commands:
            if not rest.startswith("["):
                raise ValueError(f'{instruction} {rest}: expected a list such as ["python", "program.py"]')
            commands[instruction] = tuple(json.loads(rest))
    return Dockerfile(environment, commands["ENTRYPOINT"], commands["CMD"])


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    without_comments = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n", " ", without_comments).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction:
            yield instruction.upper(), rest.strip()
