"""The processes of this machine, as `ps` lists them on Linux and on macOS."""

import subprocess
from typing import NamedTuple


class Process(NamedTuple):
    """A running process."""

    id: int
    parent: int
    group: int
    command: str


def running_processes() -> list[Process]:
    """Return all processes that have not ended."""
    command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=4) for line in listed.splitlines())
    return [
        Process(int(pid), int(ppid), int(pgid), "".join(args))
        for pid, ppid, pgid, state, *args in rows
        if not state.startswith("Z")
    ]
