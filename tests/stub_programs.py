"""Shell scripts that stand in for programs."""

from collections.abc import Mapping
from pathlib import Path


def write_programs(folder: Path, scripts: Mapping[str, str]) -> None:
    """Write these shell scripts, by the name of their program, as executable files into the folder."""
    for name, script in scripts.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
